"""How the picture is coded: encoder, its settings, and which files take it."""

import dataclasses
import functools
import numbers
import os
import re
from collections.abc import Callable, Collection
from fractions import Fraction

import av

from vgan import InputError

FOLDER = "a folder"  # stands for its suffix
_X26 = (
    *("veryfast", "ultrafast", "superfast", "faster", "fast", "medium", "slow"),
    *("slower", "veryslow"),
)
_BROADCAST = (".mpegts", ".rtsp")
_BITRATE = re.compile(r"(\d+(?:\.\d+)?)([kKmM]?)")


@dataclasses.dataclass(frozen=True)
class Codec:
    """A codec that can be named.

    Attributes:
        encoder: FFmpeg's name.
        suffixes: Of files that take it; a broadcast's is a dot and its format.
        formats: Pixel formats for sources of 8 bits, of more, of 8 bits with alpha, and
            of more with alpha; "" where there is none but the one for less.
        presets: The first is the default.
        settings: Function of quality, on x264's scale, and preset that returns the
            encoder's options.
        rated: Whether it has a quality and a bit rate; else the preset tells them.
        needs: What an encoder of it does not open without, for a message.
    """

    encoder: str
    suffixes: tuple[str, ...]
    formats: tuple[str, str, str, str]
    presets: tuple[str, ...] = ()
    settings: Callable[[float, str], dict[str, object]] = lambda crf, preset: {}
    rated: bool = False
    needs: str = ""


_PLAIN = "yuv420p", "", "", ""
_DEEPER = "yuv420p", "yuv420p10le", "", ""
_H264 = (".mp4", ".mov", ".mkv", ".m4v", ".avi", ".ts", ".m3u8", ".flv", *_BROADCAST)
_HEVC = (".mp4", ".mov", ".mkv", ".m4v", ".ts", *_BROADCAST)
_PRORES = {"encoder": "prores_ks", "suffixes": (".mov", ".mkv")}
CODECS = {
    "h264": Codec(
        *("libx264", _H264, _PLAIN, _X26),
        lambda crf, preset: {
            "crf": crf,
            "preset": preset,
            # A short one bounds the memory that large frames take.
            "rc-lookahead": 20,
            # To divide blocks that move takes a third of the time, and saves no bits.
            **({"partitions": "i8x8,i4x4"} if preset == _X26[0] else {}),
        },
        rated=True,
    ),
    "hevc": Codec(
        *("libx265", _HEVC, _DEEPER, _X26),
        lambda crf, preset: {
            "crf": crf,
            "preset": preset,
            "x265-params": "log-level=none",
        },
        rated=True,
    ),
    "av1": Codec(
        *("libsvtav1", (".mp4", ".mkv", ".webm"), _DEEPER),
        ("8", *(str(speed) for speed in range(14) if speed != 8)),
        lambda crf, preset: {"crf": max(1, _of_63(crf)), "preset": preset},
        rated=True,
    ),
    "vp9": Codec(
        *("libvpx-vp9", (".webm", ".mkv", ".mp4"), ("yuv420p", "", "yuva420p", "")),
        ("5", *(str(speed) for speed in range(9) if speed != 5)),
        lambda crf, preset: {
            "crf": _of_63(crf),
            "b": 0,
            "deadline": "good",
            "cpu-used": preset,
            "row-mt": 1,
        },
        rated=True,
    ),
    "prores": Codec(
        **_PRORES,
        formats=("yuv422p10le", "", "", ""),
        presets=("hq", "standard", "lt", "proxy"),
        settings=lambda _, preset: {"profile": preset, "vendor": "apl0"},
    ),
    "prores4444": Codec(
        **_PRORES,
        formats=("yuv444p10le", "", "yuva444p10le", ""),
        presets=("4444", "4444xq"),
        settings=lambda _, preset: {"profile": preset, "vendor": "apl0"},
    ),
    "dnxhr": Codec(
        *("dnxhd", (".mov",), ("yuv422p", "yuv422p10le", "", "")),
        ("hq", "lb", "sq", "hqx", "444"),
        lambda _, preset: {"profile": f"dnxhr_{preset}"},
        needs="even sides, 256 x 120 or more",
    ),
    "ffv1": Codec(
        *("ffv1", (".mkv", ".avi"), ("bgr0", "gbrp16le", "bgra", "gbrap16le")),
        settings=lambda *_: {"level": 3, "g": 1, "slicecrc": 1},
    ),
    "gif": Codec("gif", (".gif",), ("pal8", "", "", "")),
    "png": Codec("png", (FOLDER, ".mov"), ("rgb24", "", "rgba", "")),
    "exr": Codec("exr", (FOLDER,), ("gbrpf32le", "", "gbrapf32le", "")),
}
_USUAL = {".webm": "vp9", ".gif": "gif", FOLDER: "png"}  # else H.264
_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi", ".ts", ".m3u8", ".gif")
# By the end of FFmpeg's names: x264's scale of quality as the encoder has it.
_HARDWARE = {
    "nvenc": lambda crf, _: {"rc": "vbr", "cq": crf, "b": 0},
    "qsv": lambda crf, _: {"global_quality": round(crf)},
    "amf": lambda crf, _: {"rc": "cqp", "qp_i": round(crf), "qp_p": round(crf)},
    "videotoolbox": lambda crf, _: {  # 1 to 100, the best, in units of 118
        "flags": "+qscale", "global_quality": 118 * round(100 - crf * 99 / 51),
    },
}  # fmt: skip
_MADE_BY_HARDWARE = ("h264", "hevc", "av1", "vp9", "prores")
# Of DNxHR, the preset that each pixel format needs, and the other way.
_DNXHR = {"yuv422p10le": "hqx", "yuv444p10le": "444", "gbrp10le": "444"}


def _of_63(crf):
    """VP9 and AV1 have 0..63 where x264 has 0..51."""
    return round(crf * 63 / 51)


@dataclasses.dataclass(frozen=True)
class Coding:
    """How a user wants the picture coded; None is what fits the file.

    Attributes:
        quality: Constant rate factor, 0, the best, to 51: x264's scale.
        codec: One of CODECS, or an encoder in hardware by FFmpeg's name, such as
            "h264_nvenc".
        pixel_format: FFmpeg's name, such as "yuv422p10le"; "le" may be left out.
        preset: Of the encoder: its speed, or the profile of ProRes and DNxHR.
        bitrate: Bits per second, a number or a text such as "8M"; in place of quality.
        hdr: Of HDR sources: "sdr" makes BT.709 of them, "keep" has the result in their
            curve and primaries again.

    Raises:
        InputError: A value is unknown, out of range, or does not go with another.
    """

    quality: float | None = None
    codec: str | None = None
    pixel_format: str | None = None
    preset: str | None = None
    bitrate: str | float | None = None
    hdr: str = "sdr"

    def __post_init__(self) -> None:
        if self.quality is not None and not 0 <= self.quality <= 51:
            raise InputError(f"quality={self.quality}: give 0 (best) to 51, or none")
        if self.quality is not None and self.bitrate is not None:
            raise InputError("bitrate: does not go with quality; give one of them")
        if self.bitrate is not None and not self.bits_per_second:
            raise InputError(
                f"bitrate={self.bitrate!r:.50}: give bits per second, such as 8M, 800k "
                "or 8000000"
            )
        if self.hdr not in ("sdr", "keep"):
            raise InputError(f"hdr={self.hdr!r:.50}: give 'sdr' or 'keep'")
        if self.codec is not None:
            _named(self.codec)

    @property
    def bits_per_second(self) -> int | None:
        """The bit rate, or None where there is none."""
        if isinstance(self.bitrate, numbers.Real):
            return round(self.bitrate) if 1000 <= self.bitrate <= 1e10 else None
        found = _BITRATE.fullmatch(str(self.bitrate))
        if not found:
            return None
        value = float(found[1]) * {"": 1, "k": 1e3, "m": 1e6}[found[2].lower()]
        return round(value) if 1000 <= value <= 1e10 else None

    def among(self, suffixes: Collection[str]) -> tuple[str, ...]:
        """Return those of the suffixes that the codec fits, its usual one first;
        without a codec, all.

        Raises:
            InputError: There are none.
        """
        fits = _named(self.codec).suffixes if self.codec else suffixes
        found = tuple(one for one in fits if one in suffixes)
        if not found:
            raise InputError(
                f"codec={self.codec}: does not fit {', '.join(suffixes)}, which a "
                "folder of videos becomes; give another codec"
            )
        return found

    def into(self, suffix: str) -> "PictureCoder":
        """Return the PictureCoder for a file.

        Args:
            suffix: Its suffix, a dot and a broadcast's format, or FOLDER.

        Raises:
            InputError: They do not fit, or this machine has no such encoder.
        """
        return PictureCoder(self, suffix)

    def refuse(self, what: str) -> None:
        """Raise InputError where anything but the quality is asked of raw pictures."""
        for name in ("codec", "pixel_format", "preset", "bitrate", "hdr"):
            if getattr(self, name) not in (None, "sdr"):
                raise InputError(f"{name}: does not go with {what}; leave it out")


class PictureCoder:
    """The encoder of one file's picture.

    Args:
        coding: What the user wants.
        suffix: As of `Coding.into`.

    Attributes:
        name: Of the codec.
        encoder: FFmpeg's name.

    Raises:
        InputError: As `Coding.into`.
    """

    def __init__(self, coding: Coding, suffix: str) -> None:
        self._coding = coding
        self.name = coding.codec or _USUAL.get(suffix, "h264")
        codec = self._codec = _named(self.name)
        if suffix not in codec.suffixes:
            fits = [name for name, one in CODECS.items() if suffix in one.suffixes]
            files = [one for one in codec.suffixes if one in (FOLDER, *_SUFFIXES)]
            raise InputError(
                f"codec={self.name}: does not fit {suffix}, which takes "
                f"{', '.join(fits)}; give one of these, or {' or '.join(files)}"
            )
        self.encoder = codec.encoder
        if self.name not in CODECS:
            _check_hardware(self.encoder)
        self._formats = _formats(codec)
        self._format = coding.pixel_format and self._known(coding.pixel_format)
        self._check()
        self._preset = coding.preset or next(iter(codec.presets), None)

    def _known(self, given):
        names = [name for name in self._formats if name in (given, f"{given}le")]
        names += [name for name in self._formats if name == f"{given}be"]
        if not names:
            raise InputError(
                f"pixel_format={given}: {self.name} takes {', '.join(self._formats)}"
            )
        return names[0]

    def _check(self):
        coding, codec = self._coding, self._codec
        presets = codec.presets
        if coding.preset is not None and self.name in CODECS:
            if not presets:
                raise InputError(f"preset: {self.name} has none; leave it out")
            if coding.preset not in presets:
                raise InputError(
                    f"preset={coding.preset}: {self.name} has {', '.join(presets)}"
                )
        # A quality for whatever comes out is not a mistake; one for this codec is.
        given = ("bitrate", "quality") if coding.codec else ("bitrate",)
        for name in given:
            if getattr(coding, name) is not None and not codec.rated:
                other = f"presets {', '.join(presets)}" if presets else "nothing lossy"
                raise InputError(f"{name}: {self.name} has none; it has {other}")

    def pixel_format(self, bits: int, alpha: bool, odd: bool = False) -> str:
        """Return FFmpeg's name of the pixel format.

        Args:
            bits: Of a value in the source.
            alpha: Whether the source has alpha.
            odd: Whether a side is odd.
        """
        if self._format:
            return self._format
        if self.encoder == "dnxhd" and self._coding.preset:
            wanted = self._coding.preset
            found = [name for name, one in _DNXHR.items() if one == wanted]
            return found[0] if found else "yuv422p"
        plain, deep, clear, deep_clear = self._codec.formats
        name = (deep if bits > 8 else "") or plain
        if alpha:
            name = (deep_clear if bits > 8 else "") or clear or name
        # 4:2:0 is what every player shows, but H.264 can only crop it to even sizes.
        # 4:4:4 keeps odd ones; browsers on FFmpeg, VLC and mpv play it, Apple does not.
        if odd and self.encoder in ("libx264", "libx265"):
            name = name.replace("420", "444")
        return name

    def options(self, pixel_format: str, quality: float) -> dict[str, str]:
        """Return the encoder's options.

        Args:
            pixel_format: Of `pixel_format`.
            quality: Where the user wants none.
        """
        coding, preset = self._coding, self._preset
        if self.encoder == "dnxhd" and not coding.preset:
            preset = _DNXHR.get(pixel_format, preset)
        crf = quality if coding.quality is None else coding.quality
        options = self._codec.settings(crf, preset)
        if self.name not in CODECS and preset:
            options["preset"] = preset
        if pixel_format.startswith("yuva444") and self.encoder == "prores_ks":
            options["alpha_bits"] = 16
        rate = coding.bits_per_second if coding.bitrate is not None else None
        if rate:
            constant = ("crf", "cq", "rc", "qp_i", "qp_p", "global_quality", "flags")
            options = {key: to for key, to in options.items() if key not in constant}
            options["b"] = rate
        return {name: str(value) for name, value in options.items()}

    def refusal(self, pixel_format: str, width: int, height: int, reason: str) -> str:
        """One line where the encoder does not open."""
        needs = self._codec.needs
        return (
            f"codec={self.name}: {self.encoder} does not take {width} x {height} "
            f"{pixel_format} with these settings ({reason}); "
            + (f"it wants {needs}" if needs else "give another size, format or codec")
        )


def bits(pixel_format: str) -> int:
    """Most bits of a value in an FFmpeg pixel format."""
    return max(one.bits for one in av.VideoFormat(pixel_format).components)


def has_alpha(pixel_format: str) -> bool:
    """Whether an FFmpeg pixel format has alpha."""
    return any(one.is_alpha for one in av.VideoFormat(pixel_format).components)


def is_rgb(pixel_format: str) -> bool:
    """Whether an FFmpeg pixel format is of red, green and blue."""
    return av.VideoFormat(pixel_format).is_rgb


def _formats(codec):
    if codec.encoder == "prores_ks":  # which takes the others' formats, and is wrong
        return [name for name in codec.formats if name]
    found = [one.name for one in av.Codec(codec.encoder, "w").video_formats or []]
    # A frame in a device's memory is none of ours, and full range is of old.
    return [
        name for name in found if av.VideoFormat(name).components
        and not name.startswith("yuvj")
    ]  # fmt: skip


@functools.cache
def _named(name):
    """The Codec of that name.

    Raises:
        InputError: There is none.
    """
    if name in CODECS:
        return CODECS[name]
    family, _, maker = str(name).partition("_")
    if family not in _MADE_BY_HARDWARE or maker not in _HARDWARE:
        raise InputError(
            f"codec={name}: give {', '.join(CODECS)}, or an encoder in hardware, such "
            f"as h264_nvenc ({', '.join(_HARDWARE)})"
        )
    if not _exists(name):
        raise InputError(
            f"codec={name}: this FFmpeg has no such encoder; of hardware it has "
            f"{', '.join(_hardware())}"
        )
    names = [one.name for one in av.Codec(name, "w").video_formats or []]
    plain = next((one for one in ("yuv420p", "nv12") if one in names), names[0])
    deep = next((one for one in ("p010le", "yuv420p10le") if one in names), "")
    return dataclasses.replace(
        CODECS[family],
        encoder=name,
        formats=(plain, "" if family == "h264" else deep, "", ""),
        presets=(),
        settings=_HARDWARE[maker],
        rated=True,
    )


def _exists(name):
    try:
        return bool(av.Codec(name, "w"))
    except (av.FFmpegError, ValueError):
        return False


@functools.cache
def _hardware():
    """FFmpeg's names of all encoders in hardware that it was built with."""
    names = (f"{family}_{one}" for family in _MADE_BY_HARDWARE for one in _HARDWARE)
    return [name for name in names if _exists(name)]


def _check_hardware(encoder):
    reason = _trouble(encoder)
    if reason is None:
        return
    works = [name for name in _hardware() if _trouble(name) is None]
    family = encoder.partition("_")[0]
    raise InputError(
        f"codec={encoder}: this machine cannot open it ({reason}); of hardware it can "
        f"open {', '.join(works) or 'none'}; give codec={family}, which needs none"
    )


@functools.cache
def _trouble(encoder):
    """Why an encoder does not open, in a word, or None."""
    context = av.CodecContext.create(encoder, "w")
    context.width, context.height = 640, 480
    context.pix_fmt = _named(encoder).formats[0]
    context.time_base, context.framerate = Fraction(1, 25), 25
    try:
        context.open()
    except (OSError, ValueError, av.FFmpegError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def opened_quietly() -> None:
    """Have SVT-AV1 print errors alone, which it does on its own."""
    os.environ.setdefault("SVT_LOG", "1")
