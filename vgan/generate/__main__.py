r"""Stylize a video, a folder of videos, a camera, a stream or a picture.

python -m vgan.generate --input=in.mp4 --style=painting.jpg --output=out.mp4

The result has the size, the timestamps and the sound of the input. Several styles are
blended: --style=a.jpg:0.7 --style=b.jpg:0.3
"""

import sys

from vgan import InputError, command

ENGINES = ("auto", "keras", "openvino", "litert", "onnx")

FLAGS = command.Flags()
FLAGS.DEFINE_string(
    "model",
    None,
    "a generator.keras, what vgan.export made, or a model that ships: painterly (the "
    "default) or painterly_small, which is faster",
)
FLAGS.DEFINE_multi_string(
    "input",
    [],
    "a video, a folder of videos or of numbered pictures, shot/####.png, camera:0, "
    "rtsp://..., ndi:NAME, - for standard input, or a picture",
)
FLAGS.DEFINE_multi_string(
    "style",
    [],
    "a picture, a clip, a folder of pictures, a style that the model knows by name, or "
    "random; with a weight after a colon, and repeated, styles are blended; with a "
    "time, as in a.jpg@4s, they follow one another",
)
FLAGS.DEFINE_string(
    "output",
    None,
    "mp4, mov, mkv, webm, m4v, avi, ts, m3u8 (HLS), gif, a folder of pictures or of "
    "videos; png or jpg of a picture; rtmp://..., udp://..., ndi:NAME; camera or "
    "/dev/video2, a virtual camera; - for a pipe (y4m)",
)
FLAGS.DEFINE_string("schedule", None, "JSON file of styles over time")
FLAGS.DEFINE_float("fade", None, "seconds from a style to the next (default: 1)")
FLAGS.DEFINE_float(
    "strength", 1.0, "share of the stylized picture over the input's own, 0 to 1"
)
FLAGS.DEFINE_bool("keep_color", False, "keep the colors of the input")
FLAGS.DEFINE_float(
    "keep_highlights", 0, "share of the input that comes back in bright tones, 0 to 1"
)
FLAGS.DEFINE_float(
    "keep_skin", 0, "likewise in tones of skin, by color alone: wood and sand, too"
)
FLAGS.DEFINE_float("grain", 0, "film grain over the result, 0 to 1; --seed says which")
FLAGS.DEFINE_float(
    "detail",
    0.75,
    "share of the input's fine luma that comes back where the network works at a "
    "smaller size, 0 to 1",
)
FLAGS.DEFINE_float(
    "temporal",
    1,
    "how much of the past the model's filter takes, 0 to 1, as it does by itself: less "
    "is fresher, and trembles more",
)
FLAGS.DEFINE_enum(
    "subject",
    None,
    ("person", "background"),
    "style people alone, or all but people: of those who face the camera",
)
FLAGS.DEFINE_string(
    "subject_model",
    None,
    "what finds people: MediaPipe's wheel, or a .tflite (default: of the installed "
    "package mediapipe)",
)
FLAGS.DEFINE_string(
    "mask",
    None,
    "picture or video of any size, in the shape of the result: style where it is "
    "white; after a video's end its last frame holds",
)
FLAGS.DEFINE_bool("mask_invert", False, "style where the mask is black")
FLAGS.DEFINE_float(
    "mask_soft",
    0,
    "blur of the edges of masks, and of --subject, its standard deviation in pixels",
)
FLAGS.DEFINE_string(
    "label_mask",
    None,
    "picture or video of flat colors: the first --style goes to the darkest, and so "
    "on; where there are no more styles, the input stays",
)
FLAGS.DEFINE_bool("compare", False, "show input, style and output side by side")
FLAGS.DEFINE_integer(
    "size",
    None,
    "short side of the result in pixels, also inside the network: smaller is faster; "
    "sides are rounded to even numbers (default: the size of the input)",
)
FLAGS.DEFINE_float(
    "proxy",
    None,
    "the network works at this fraction of the size: less is faster, with larger "
    "strokes (default: 1; where the short side is over 320 pixels, 288 / short side)",
)
FLAGS.DEFINE_enum("engine", "auto", ENGINES, "what runs the network")
FLAGS.DEFINE_string(
    "device",
    None,
    "what that runs on: CPU, GPU, GPU.1 or NPU of OpenVINO; cpu, cuda, directml, "
    "coreml or openvino of ONNX Runtime (default: the fastest; with --engine, the CPU)",
)
FLAGS.DEFINE_string("start", None, "begin there: 12.5 (seconds), 0:20, 1:02:03.5")
FLAGS.DEFINE_string("end", None, "end there")
FLAGS.DEFINE_string("duration", None, "seconds to make, in the place of --end")
FLAGS.DEFINE_string(
    "at", None, "make one picture, of the frame that is shown then, as in --at=0:12"
)
FLAGS.DEFINE_string(
    "contact_sheet",
    None,
    "make one picture of the frame of --at in every style of this folder, and of "
    "--style; or all: in those of --style or, without any, in all that the model knows",
)
FLAGS.DEFINE_float("fps", None, "frames per second to resample to (default: all)")
FLAGS.DEFINE_enum(
    "deinterlace",
    "auto",
    ("auto", "off"),
    "interlaced frames become whole pictures (bwdif), or stay as they are",
)
FLAGS.DEFINE_enum(
    "gaps",
    "hold",
    ("hold", "close", "refuse"),
    "where numbers of a folder's pictures are missing: show the one before for longer, "
    "leave no gap, or refuse the folder",
)
FLAGS.DEFINE_enum(
    "audio",
    "keep",
    ("keep", "none", "copy", "aac"),
    "copied where the container takes it, else encoded anew; none; copied or refused; "
    "AAC, with all its channels",
)
FLAGS.DEFINE_integer("seed", 0, "which random style, and which grain")
FLAGS.DEFINE_bool(
    "preview",
    False,
    "show a window, in real time also of a file; keys choose a style, h helps; "
    "with --output all is recorded until r is pressed, without sound",
)
FLAGS.DEFINE_bool("live", False, "play a file in real time, as if it were a camera")
FLAGS.DEFINE_bool(
    "resume",
    False,
    "keep what is finished when stopped, in pieces of 100 frames, and go on from there "
    "(folders always do)",
)
FLAGS.DEFINE_float(
    "quality",
    None,
    "of H.264, HEVC, AV1 and VP9: 0, the best, to 51; files of 18 are half as large as "
    "by default",
)
FLAGS.DEFINE_string(
    "codec",
    None,
    "h264, hevc, av1, vp9, prores, prores4444, dnxhr, ffv1, gif, png, exr, or an "
    "encoder in hardware such as h264_nvenc, hevc_qsv or h264_videotoolbox (default: "
    "by the output, h264 in most)",
)
FLAGS.DEFINE_string(
    "pixel_format", None, "FFmpeg's name, such as yuv422p10 (default: by the codec)"
)
FLAGS.DEFINE_string(
    "preset",
    None,
    "of the encoder: its speed (veryfast, slow; AV1: 0 to 13; VP9: 0 to 8), or the "
    "profile of ProRes (proxy, lt, standard, hq) and DNxHR (lb, sq, hq, hqx, 444)",
)
FLAGS.DEFINE_string("bitrate", None, "bits per second, such as 8M; not with quality")
FLAGS.DEFINE_enum(
    "hdr",
    "sdr",
    ("sdr", "keep"),
    "HDR becomes common video, or, once painted as that, its own curve and primaries "
    "again (in 10 bits)",
)
FLAGS.DEFINE_multi_string(
    "beam",
    [],
    "a flag of Apache Beam, which then does the work of a folder or URL of videos, as "
    "in --beam=--runner=DirectRunner; repeatable",
)
FLAGS.DEFINE_bool("overwrite", False, "replace an output that exists")
FLAGS.DEFINE_bool(
    "strict",
    False,
    "make nothing of a damaged input (exit code 2); else what can be decoded is made, "
    "and what is lost is counted (exit code 3)",
)
FLAGS.DEFINE_float(
    "reconnect",
    60,
    "seconds to wait for a live network source that stalls or breaks off; 0: not at "
    "all, inf: for ever",
)
FLAGS.DEFINE_enum(
    "progress",
    "auto",
    ("auto", "json", "none"),
    "on standard error: a bar on a terminal and lines elsewhere, or lines of JSON",
)
FLAGS.DEFINE_bool("quiet", False, "print nothing but warnings and errors")


def main(_: list[str]) -> None:
    """Parse, then stylize."""
    from vgan.generate.run import stylize

    given = {name: FLAGS[name].value for name in FLAGS}
    if given["model"] is None:
        del given["model"]
    if len(given["input"]) > 1:
        raise InputError(
            f"input: is given {len(given['input'])} times; give one, or a folder of "
            "videos, which are taken in order"
        )
    given["input"] = next(iter(given["input"]), None)
    report = _say
    if given.pop("quiet"):
        given["progress"], report = "none", None
    stylize(**given, report=report)


def _say(line):
    """To the user, but never into a pipe of frames."""
    file = sys.stderr if FLAGS.output == "-" else sys.stdout
    print(command.with_flags(line, FLAGS), file=file, flush=True)


if __name__ == "__main__":
    command.run(main, FLAGS)
