"""Writes frames.json: small clips, and the frames that the command `ffmpeg` decodes from them, by checksum and time.

    python frames.py [FOLDER]    # needs ffmpeg and ffprobe; FOLDER holds fight-surveillance and moving-shapes

Made with FFmpeg 5.1.9. The clips are FFmpeg's own test picture, the checksums zlib's Adler-32 of a frame's RGB bytes.
"""
import base64
import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
EXACT = "bicubic+accurate_rnd+full_chroma_int"
FOLDER = tempfile.mkdtemp()


def run(*arguments):
    return subprocess.run(arguments, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def ffmpeg(*arguments):
    return run("ffmpeg", "-nostdin", "-y", "-threads", "1", *arguments)


def frames(path, size, *filters):
    """Checksums of the frames that come out of the filters. Upright ones are turned after the conversion, as we do: turned
    before it they are the same up to the rounding of colour, which is stored in another resolution."""
    turn = ["transpose=cclock"] if size[0] < size[1] else []
    chain = ",".join([*filters, f"scale=flags={EXACT}", "format=rgb24", *turn])
    if turn:
        exact, own = (
            ffmpeg(*how, "-i", path, "-vf", what, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
            for how, what in [(["-noautorotate"], chain), ([], "null")])
        assert sum(abs(a - b) for a, b in zip(exact, own)) < 10 * len(own) and len(exact) == len(own)
    how = ["-noautorotate"] if turn else []
    raw = ffmpeg(*how, "-i", path, "-map", "v:0", "-vf", chain, "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    step = size[0] * size[1] * 3
    assert len(raw) % step == 0
    return [zlib.adler32(raw[i:i + step]) for i in range(0, len(raw), step)]


def times(path):
    text = run("ffprobe", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0", path)
    values = [float(line.strip(",")) for line in text.decode().split()]
    return [round(value - values[0], 6) for value in values]


def measured(path, size, rates=()):
    all_frames = frames(path, size)
    sampled = []
    for rate in rates:
        # In which frames of the whole clip those of a constant rate are found.
        found, at = [], 0
        for checksum in frames(path, size, f"fps={rate}"):
            at = all_frames.index(checksum, at)
            found.append(at)
        sampled.append({"rate": rate, "frames": found})
    return {"width": size[0], "height": size[1], "checksums": all_frames, "times": times(path), "sampled": sampled}


SOURCE = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=1.6"]
VARIABLE = ["-vf", "settb=1/1000,setpts='100*N+30*mod(N*N\\,5)'", "-fps_mode", "vfr", "-enc_time_base", "1/1000"]
H264 = ["-c:v", "libx264", "-preset", "slow", "-crf", "34", "-bf", "2", "-g", "8", "-pix_fmt", "yuv420p", "-bitexact"]
RATES = [1, 3, 4, 10, 12.5, 25]


def clip(name, ending, *arguments, size=(64, 48), rates=RATES, piped=False):
    path = os.path.join(FOLDER, name.replace(" ", "-") + "." + ending)
    if piped:
        with open(path, "wb") as file:
            file.write(ffmpeg(*arguments, "-"))
    else:
        ffmpeg(*arguments, path)
    with open(path, "rb") as file:
        data = file.read()
    CLIPS.append({"name": name, "ending": ending, "file": base64.b64encode(data).decode(), **measured(path, size, rates)})
    return path


CLIPS = []
mp4 = clip("mp4", "mp4", *SOURCE, *H264)
clip("faststart mp4", "mp4", "-i", mp4, "-c", "copy", "-movflags", "+faststart", "-bitexact")
clip("fragmented mp4", "mp4", "-i", mp4, "-c", "copy", "-movflags", "+frag_keyframe+empty_moov", "-bitexact")
clip("turned mp4", "mp4", "-i", mp4, "-c", "copy", "-metadata:s:v:0", "rotate=90", "-bitexact", size=(48, 64))
clip("variable mp4", "mp4", *SOURCE, *VARIABLE, *H264)
clip("matroska", "mkv", *SOURCE, *VARIABLE, *H264)
clip("endless matroska", "mkv", "-i", mp4, "-c", "copy", "-bitexact", "-f", "matroska", piped=True)
clip("webm", "webm", *SOURCE, "-c:v", "libvpx-vp9", "-crf", "35", "-b:v", "0", "-bitexact")
clip("avi", "avi", *SOURCE, "-c:v", "mpeg4", "-q:v", "31", "-bitexact")
clip("gif", "gif", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=0.8", "-bitexact")
clip("transport stream", "ts", "-i", mp4, "-c", "copy", "-bitexact")
clip("flash", "flv", "-i", mp4, "-c", "copy", "-bitexact")
clip("high definition", "mp4", *SOURCE, "-vf", "scale=out_color_matrix=bt709:out_range=full", "-color_range", "pc", "-colorspace",
     "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", *H264, rates=[])
clip("with sound", "mp4", *SOURCE, "-f", "lavfi", "-i", "sine=duration=1.6", "-c:a", "aac", "-b:a", "24k", *H264, rates=[])

scaled = []
for width, height in [(32, 24), (40, 40), (96, 72), (7, 5)]:
    chain = f"scale={width}:{height}:flags={EXACT},format=rgb24"
    raw = ffmpeg("-i", mp4, "-vf", chain, "-fps_mode", "passthrough", "-f", "rawvideo", "-")
    step = width * height * 3
    checksums = [zlib.adler32(raw[i:i + step]) for i in range(0, len(raw), step)]
    scaled.append({"width": width, "height": height, "checksums": checksums})

# All eight ways to hold a camera, in the matrix of the track header; which one FFmpeg takes it for, is found by likeness.
TURNS = ["null", "hflip", "hflip,vflip", "vflip", "transpose=cclock_flip", "transpose=clock", "transpose=clock_flip",
         "transpose=cclock"]
MATRICES = [(1, 0, 0, 1), (-1, 0, 0, 1), (-1, 0, 0, -1), (1, 0, 0, -1), (0, 1, 1, 0), (0, 1, -1, 0),
            (0, -1, -1, 0), (0, -1, 1, 0)]
turned = []
with open(mp4, "rb") as file:
    plain = file.read()
for a, b, c, d in MATRICES:
    at = plain.index(b"tkhd") + 4 + 40
    matrix = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path = os.path.join(FOLDER, "held.mp4")
    with open(path, "wb") as file:
        file.write(plain[:at] + matrix + plain[at + 36:])

    def first(chain, *arguments):
        return ffmpeg(*arguments, "-i", path, "-vf", chain, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")

    own = first("null")
    candidates = [first(f"scale=flags={EXACT},format=rgb24,{turn}", "-noautorotate") for turn in TURNS]
    nearest = min(candidates, key=lambda pixels: sum(abs(x - y) for x, y in zip(pixels, own)))
    turned.append({"matrix": [a, b, c, d], "checksum": zlib.adler32(nearest)})

empty = os.path.join(FOLDER, "empty.mp4")
ffmpeg(*SOURCE, "-frames:v", "0", *H264, empty)

audio = []
cover = os.path.join(FOLDER, "cover.png")
ffmpeg("-f", "lavfi", "-i", "color=red:size=8x8", "-frames:v", "1", cover)
tone = ["-f", "lavfi", "-i", "sine=duration=0.1"]
for name, ending, arguments in [
    ("m4a", "m4a", ["-c:a", "aac", "-b:a", "24k"]), ("wav", "wav", ["-ar", "8000"]), ("mp3", "mp3", ["-b:a", "32k"]),
    ("bare mp3", "mp3", ["-b:a", "32k", "-id3v2_version", "0", "-write_xing", "0"]), ("flac", "flac", ["-ar", "8000"]),
    ("ogg", "ogg", ["-ar", "16000", "-c:a", "libopus", "-b:a", "8k"]),
    ("cover", "m4a", ["-i", cover, "-map", "0", "-map", "1", "-c:a", "aac", "-b:a", "24k", "-c:v", "copy",
                      "-disposition:v", "attached_pic"]),
]:
    path = os.path.join(FOLDER, name.replace(" ", "-") + "." + ending)
    ffmpeg(*tone, *arguments, "-bitexact", path)
    with open(path, "rb") as file:
        audio.append({"name": name, "ending": ending, "file": base64.b64encode(file.read()).decode()})

files = []
if len(sys.argv) > 1:
    for name in ["fight-surveillance/fight", "fight-surveillance/noFight", "moving-shapes/clips"]:
        for entry in sorted(os.listdir(os.path.join(sys.argv[1], name)))[:3]:
            path = os.path.join(sys.argv[1], name, entry)
            text = run("ffprobe", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0", path)
            size = tuple(map(int, text.decode().strip().strip(",").split(",")[:2]))
            result = measured(path, size, [2, 7.5])
            whole = b"".join(checksum.to_bytes(4, "big") for checksum in result.pop("checksums"))
            last = result.pop("times")
            files.append({
                "path": f"{name}/{entry}", **result, "count": len(last), "last": last[-1], "checksum": zlib.adler32(whole)})

with open(os.path.join(HERE, "frames.json"), "w") as file:
    lines = [
        '"clips": [\n' + ",\n".join(json.dumps(c) for c in CLIPS) + "\n]", '"scaled": ' + json.dumps(scaled),
        '"empty": ' + json.dumps(base64.b64encode(open(empty, "rb").read()).decode()),
        '"turned": ' + json.dumps(turned), '"audio": [\n' + ",\n".join(json.dumps(a) for a in audio) + "\n]",
        '"files": [\n' + ",\n".join(json.dumps(f) for f in files) + "\n]",
    ]
    file.write("{\n" + ",\n".join(lines) + "\n}\n")
for c in CLIPS + audio:
    print(c["name"], len(c["file"]) * 3 // 4, len(c.get("times", [])))
