"""A video, a folder of videos, a stream or a picture in, a stylized one out."""

import dataclasses
import difflib
import numbers
import os
import pathlib
import typing
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from vgan import DamagedError, InputError, backend, files, pipelines, pretrained
from vgan.checks import shown
from vgan.generate import convert, stills
from vgan.generate.live import Broadcaster
from vgan.generate.options import Size, StylizeOptions, check_range
from vgan.generate.progress import KINDS
from vgan.video import VideoReader, cut, is_image, outlets, read_image, sound
from vgan.video.codecs import Coding
from vgan.video.cut import Time
from vgan.video.exr import read_exr
from vgan.video.image_source import as_pattern


def stylize(
    input: str | os.PathLike,
    style: object = None,
    output: str | os.PathLike | None = None,
    model: str | os.PathLike = "painterly",
    *,
    start: Time | None = None,
    end: Time | None = None,
    duration: Time | None = None,
    at: Time | None = None,
    contact_sheet: str | os.PathLike | None = None,
    fps: Fraction | float | None = None,
    deinterlace: str = "auto",
    gaps: str = "hold",
    audio: str = "keep",
    quality: float | None = None,
    codec: str | None = None,
    pixel_format: str | None = None,
    preset: str | None = None,
    bitrate: str | float | None = None,
    hdr: str = "sdr",
    overwrite: bool = False,
    resume: bool = False,
    live: bool = False,
    preview: bool = False,
    strict: bool = False,
    reconnect: float = 60.0,
    progress: str = "auto",
    beam: Sequence[str] = (),
    report: Callable[[str], object] | None = None,
    **options: typing.Any,
) -> str | None:
    """Stylize a video, a folder of videos, a camera, a stream or a picture.

    What `python -m vgan.generate` does, with the same result. The size, the timestamps
    and the sound are those of the input.

    Args:
        input: Path of a video, a folder of videos or of numbered pictures, "camera:0",
            "rtsp://...", "ndi:NAME", "-" for standard input, or a picture.
        style: As of `vgan.Stylizer`: a picture's path, a name that the model knows, a
            blend, ...; or a list of texts: "a.jpg@0s" and "b.jpg@4s" follow one
            another, and with `label_mask` there is one for each region.
        output: .mp4, .mov, .mkv, .webm, .m4v, .avi, .ts, .m3u8 (HLS), .gif, a folder
            of pictures or of videos; .png or .jpg of a picture; a stream, "ndi:NAME",
            "camera" or /dev/videoN, a virtual one, or "-" for a pipe. May be left out
            with `preview`.
        model: A name or path, see `vgan.load`; or what that returned, but not with
            `resume` or for a folder of videos.
        start: Begin with the frame that is shown then: seconds, or a text, "12.5",
            "0:20" or "1:02:03.5". What is made counts from there, the network's memory
            begins there, and sound, subtitles and chapters are cut likewise.
        end: End before the frame that begins then, or later.
        duration: Seconds to make, in the place of `end`.
        at: Make one picture, of the frame that is shown then: an output .png or .jpg.
        contact_sheet: Make one picture of the frame of `at` (None: the first) in every
            style of a folder of pictures, and in those of `style`; or "all": in those
            of `style` or, without any, in all that the model knows by name.
        fps: Frames per second to resample to, 0.001 to 1000; None: all.
        deinterlace: "auto": interlaced frames become whole pictures; "off": they stay.
        gaps: Where numbers of pictures are missing, "hold" the one before, "close" the
            gap, or "refuse" the folder.
        audio: "keep": copied where the container takes it, and else encoded anew;
            "none"; "copy", or refused; "aac", copied where it is that. Channels stay.
        quality: Of H.264, HEVC, AV1 and VP9, 0, the best, to 51; None: that of the
            encoder.
        codec: "h264", "hevc", "av1", "vp9", "prores", "prores4444", "dnxhr", "ffv1",
            "gif", "png", "exr", or an encoder in hardware such as "h264_nvenc"; None:
            H.264, or what the output's suffix says.
        pixel_format: FFmpeg's name, such as "yuv422p10le"; None: what suits the codec.
        preset: Of the encoder, its speed, or the profile of ProRes and DNxHR.
        bitrate: Bits per second, such as "8M", in place of a quality.
        hdr: Of HDR sources, "sdr": they become common video, "keep": the style is
            painted on that, and brought back to the source's curve and primaries.
        overwrite: Replace an output that exists.
        resume: Keep what is finished when stopped, and go on from there.
        live: Play a file in real time, as if it were a camera.
        preview: Show a window.
        strict: Of a damaged input, make nothing; else what can be decoded is made.
        reconnect: Seconds to wait for a live network source that is away, before the
            result ends there; 0: not at all.
        progress: On standard error: "auto", "json" or "none", see
            `vgan.generate.progress`.
        beam: Flags of Apache Beam, such as ["--runner=DirectRunner"], which then does
            the work: for a folder of videos, or its URL; see
            docs/films_by_the_thousand.md.
        report: Function that gets a line for each result, or None.
        options: Fields of `vgan.generate.options.StylizeOptions`: engine, device,
            strength, size, proxy, keep_color, subject, mask, label_mask, schedule,
            compare, keep_highlights, keep_skin, grain, detail, temporal, seed, ...

    Returns:
        Where the result is, as `output`.

    Raises:
        vgan.InputError: An argument cannot be used; nothing is left behind.
        vgan.DamagedError: Some of the input is lost, or a live source broke off; what
            was made of the rest is complete and kept.

    Example:
        vgan.stylize("in.mp4", "painting.jpg", "out.mp4", strength=0.8)
    """
    _check_names(options)
    for name, value, example in (
        ("input", input, "in.mp4"),
        ("output", output or preview, "out.mp4"),
    ):
        if not value:
            raise InputError(f"{name}: is missing; give one, such as {example}")
        if value is not preview:
            _check_path(name, value, example)
    if report is not None and not callable(report):
        raise InputError(f"report={shown(report)}: give a function, such as print")
    is_loaded = hasattr(model, "step") and not isinstance(model, type)
    if not is_loaded:
        _check_path("model", model, "painterly")
    _check_types(options)
    check_range("fps", fps, 1e-3, 1000, "0.001 to 1000 frames per second, a number")
    check_range("quality", quality, 0, 51, "0 to 51")
    if deinterlace not in ("auto", "off"):
        raise InputError(f"deinterlace={deinterlace!r:.50}: give 'auto' or 'off'")
    if audio not in sound.KINDS:
        raise InputError(f"audio={audio!r:.50}: give {', '.join(sound.KINDS)}")
    check_range("reconnect", reconnect, 0, float("inf"), "0 or more seconds")
    if progress not in KINDS:
        raise InputError(f"progress={progress!r:.50}: give {', '.join(KINDS)}")
    coding = Coding(quality, codec, pixel_format, preset, bitrate, hdr)
    reading = {"fps": fps, "deinterlace": deinterlace == "auto", "gaps": gaps}
    reading["reconnect"] = reconnect
    if audio != "keep":
        reading["sound"] = audio
    if part := cut.read(start, end, duration):
        reading["cut"] = part
        _refuse("a part of a film, whose damage is not counted", strict=strict)
    input, output = as_pattern(os.fspath(input)), output and os.fspath(output)
    if output and not is_image(input):
        output = as_pattern(output)
    if not (is_loaded or beam):  # a worker may have it elsewhere
        model = pretrained.find(os.fspath(model))
    options = StylizeOptions(model=model, style=style, **options)
    if at is not None or contact_sheet:
        _refuse("a still", preview=preview, live=live, resume=resume, strict=strict)
        _refuse("a still", start=start, end=end, duration=duration, beam=beam)
        _refuse("a still", audio=audio != "keep")
        coding.refuse("a still")
        target = pathlib.Path(output), reading, overwrite
        line = _still(options, input, at, contact_sheet, target, progress)
        if report:
            report(line)
        return output
    if beam:
        pipelines.check(beam)
        _refuse("a Beam pipeline", preview=preview, live=live)
        coding.refuse("a Beam pipeline")
        _refuse("a Beam pipeline", **{"a loaded model": is_loaded})
        from vgan.generate.films import stylize_films

        stylize_films(
            *(options, input, output, beam, reading, overwrite, quality, strict),
            *(progress, report or (lambda line: None)),
        )
        return output
    if options.opened.name == "keras":
        if not preview:
            options.read()  # what is wrong with styles is said before the seconds of
        backend.import_keras()
    report = report or (lambda line: None)
    if is_loaded:
        _refuse("a loaded model, which has no file", resume=resume)
    if is_image(input):
        _refuse("a picture", preview=preview, live=live, resume=resume, fps=fps)
        _refuse("a picture", start=start, end=end, duration=duration)
        _refuse("a picture", audio=audio != "keep")
        coding.refuse("a picture")
        report(_stylize_picture(options, input, pathlib.Path(output), overwrite))
    elif input != "-" and convert.is_folder_of_videos(input):
        _refuse("a folder of videos", preview=preview, live=live)
        _refuse("a folder of videos", **{"a loaded model": is_loaded})
        if "://" in output or outlets.find(output):
            raise InputError(f"output={output}: give a folder for a folder")
        convert.convert_folder(
            *(options, input, output, reading, overwrite, coding, strict, progress),
            report,
        )
    else:
        with VideoReader(input, **reading) as reader:
            if output and is_image(output):
                raise InputError(
                    f"output={output}: a video becomes a video; "
                    "give .mp4, .webm, .mkv, .gif or a folder"
                )
            if live or preview or reader.is_live:
                _refuse("live video", resume=resume)
                broadcaster = Broadcaster(options)
                broadcaster.run(*(reader, output, preview, overwrite, coding, progress))
                line = f"{output or 'preview'}: {broadcaster.summary()}"
            else:
                line = convert.convert(
                    *(options, reader, output, overwrite, resume, coding),
                    *(strict, progress),
                )
            damage = reader.damage
        report(str(line))
        if damage:
            raise DamagedError(f"{reader.source}: {damage}")
    return output


def _check_names(options):
    known = [field.name for field in dataclasses.fields(StylizeOptions)]
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(
                name, [*known, *stylize.__kwdefaults__], n=1
            )
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise InputError(f"{name}: there is no such option; {hint}")


def _check_path(name, value, example):
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"{name}={shown(value)}: give a path, such as {example!r}")
    path = os.fspath(value)
    if "\0" in path:
        raise InputError(f"{name}={shown(path)}: holds a NUL, which no path does")
    longest = files.LONGEST_NAME
    if "://" not in path and len(os.fsencode(os.path.basename(path))) > longest:
        raise InputError(
            f"{name}={shown(path)}...: its name is longer than {longest} bytes; give a "
            "shorter one"
        )


def _check_types(options):
    """Raise InputError where an option is of another type than the field it is for.

    Ranges are the fields' own.
    """
    hints = typing.get_type_hints(StylizeOptions)
    for field in dataclasses.fields(StylizeOptions):
        name, kinds = field.name, typing.get_args(hints[field.name])
        value, kind = options.get(name, field.default), (*kinds, hints[field.name])[0]
        if name not in options or (value is None and field.default is None):
            continue
        if value is None and name != "style":
            raise InputError(
                f"{name}=None: leave it out, or give a value such as {field.default!r}"
            )
        if kind is str and name not in ("engine", "device", "subject"):
            _check_path(name, value, f"{name}.png")
        is_fraction = isinstance(value, numbers.Real) and value % 1
        if kind is int and is_fraction:
            raise InputError(f"{name}={shown(value)}: give a whole number")
        if kind is bool and not isinstance(value, bool):
            raise InputError(f"{name}={shown(value)}: give True or False")


def _refuse(what, **given):
    for name, value in given.items():
        if value:
            raise InputError(f"{name}: does not go with {what}; leave it out")


def _still(options, source, at, contact_sheet, target, progress):
    if at is not None and is_image(source):
        raise InputError(f"at={at}: a picture has no times; leave it out")
    if source != "-" and convert.is_folder_of_videos(source):
        raise InputError(f"input={source}: give one video for a still")
    second = cut.read_time("at", 0 if at is None else at)
    if not contact_sheet:
        return stills.still(options, source, second, *target)
    _check_path("contact_sheet", contact_sheet, "styles/")
    folder = os.fspath(contact_sheet)
    return stills.contact_sheet(options, source, second, folder, *target, progress)


def _stylize_picture(options, source, output, overwrite):
    stills.check_output(output, source, overwrite)
    suffix = output.suffix.lower()
    clear = suffix in (".png", ".exr") and not options.compare
    linear = suffix == pathlib.Path(source).suffix.lower() == ".exr"
    frame = read_exr(source) if linear else read_image(source, alpha=clear)
    frame = options.resized(frame if clear else np.ascontiguousarray(frame[..., :3]))
    with options.processor(Size(*frame.shape[:2])) as process:
        return stills.save(process(frame, 0), output)
