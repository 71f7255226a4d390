"""Decoding PNG and DICOM with Pillow, OpenCV and pydicom; `benches/decode.sh` runs it beside Sequester.

Usage: decode.py make FOLDER [PNG...] | measure FOLDER | print OURS PEERS. One folder a kind of file. Files are read anew for each
decoding; they lie in the page cache. Sequester's result are intensities of 32 bits, after rescaling and window; the peers stop at the
stored values, in an array.
"""

import json
import pathlib
import sys
import time

import speed_log

PICTURES = 16
SECONDS = 1.5
LOSSLESS, RLE, LS, J2K, BASELINE = (
    f"1.2.840.10008.1.2.{end}" for end in ("4.70", "5", "4.80", "4.90", "4.50")
)


def pictures(files):
    import cv2
    import numpy

    random = numpy.random.default_rng(1)
    rows, columns = numpy.mgrid[0:1024, 0:1024] / 1024
    for number in range(PICTURES):
        if files:
            picture = cv2.imread(files[number % len(files)], cv2.IMREAD_GRAYSCALE)
            picture = cv2.resize(picture, (1024, 1024), interpolation=cv2.INTER_AREA)
        else:
            smooth = 120 + 60 * numpy.sin(5 * rows + number) + 50 * numpy.cos(4 * columns * (1 + number / 40))
            picture = numpy.clip(smooth + random.normal(0, 3, smooth.shape), 0, 255).astype("uint8")
        # Twelve bits with the noise of a detector in the lower four.
        deep = numpy.clip(picture * 16.0 + random.normal(0, 6, picture.shape), 0, 4095).astype("uint16")
        yield number, picture, deep


def dicom(path, picture, bits):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"2.25.{1 + int(path.stem)}"
    data.Rows, data.Columns = picture.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = 8 * picture.itemsize
    data.BitsStored, data.HighBit, data.PixelRepresentation = bits, bits - 1, 0
    data.PixelData = picture.tobytes()
    data["PixelData"].VR = "OB" if picture.itemsize == 1 else "OW"
    return data


def make(folder, files):
    import cv2
    import gdcm
    from pydicom.encaps import encapsulate

    def place(kind, number, end):
        path = folder / kind / f"{number}.{end}"
        path.parent.mkdir(exist_ok=True)
        return path

    for number, picture, deep in pictures(files):
        for side in (1024, 256):
            small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(place(f"png {side}", number, "png")), small)
        native = place("dicom uncompressed", number, "dcm")
        dicom(native, deep, 12).save_as(native, enforce_file_format=True)
        for kind, syntax in (("rle", RLE), ("jpeg-ls", LS), ("jpeg 2000", J2K)):
            path = place(f"dicom {kind}", number, "dcm")
            data = dicom(path, deep, 12)
            data.compress(syntax, generate_instance_uid=False)
            data.save_as(path, enforce_file_format=True)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(native))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(place("dicom jpeg lossless", number, "dcm")))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        path = place("dicom jpeg baseline", number, "dcm")
        data = dicom(path, picture, 8)
        data.file_meta.TransferSyntaxUID = BASELINE
        data.LossyImageCompression = "01"
        data.PixelData = encapsulate([cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()])
        data.save_as(path, enforce_file_format=True)


def measure(folder):
    import cv2
    import numpy
    import PIL.Image
    import pydicom

    cv2.setNumThreads(1)

    def with_plugin(name):
        def decode(path):
            data = pydicom.dcmread(path)
            if name:
                data.pixel_array_options(decoding_plugin=name)
            return data.pixel_array

        return decode

    png = {
        "Pillow": lambda path: numpy.asarray(PIL.Image.open(path)),
        "OpenCV": lambda path: cv2.imread(str(path), cv2.IMREAD_UNCHANGED),
    }
    uncompressed = {"pydicom": with_plugin("")}
    others = {f"pydicom, {name}": with_plugin(name) for name in ("pylibjpeg", "gdcm", "pyjpegls")}
    for kind in sorted(folder.iterdir()):
        if not kind.is_dir():
            continue
        files = sorted(kind.iterdir())
        peers = png if kind.name.startswith("png") else uncompressed if "uncompressed" in kind.name else others
        for peer, decode in peers.items():
            try:
                decode(files[0])
            except Exception as error:
                print(f"{peer} does not decode {kind.name}: {error}", file=sys.stderr)
                continue
            count, wall, cpu = 0, time.perf_counter(), time.process_time()
            while time.perf_counter() - wall < SECONDS:
                for path in files:
                    decode(path)
                count += len(files)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            print(json.dumps({"what": kind.name, "who": peer, "images_a_second": count / wall, "core_seconds": cpu / count}))


def table(ours, peers):
    ours, peers = ([json.loads(line) for line in open(path)] for path in (ours, peers))
    print(f"{'what':22}{'who':22}{'images/s':>10}{'core-s/image':>14}{'ours is':>10}")
    for own in ours:
        for line in [own] + [p for p in peers if p["what"] == own["what"]]:
            ratio = "" if line is own else f"{line['core_seconds'] / own['core_seconds']:.2f} x"
            rate, spent = f"{line['images_a_second']:.1f}", f"{line['core_seconds']:.5f}"
            print(f"{own['what'] if line is own else '':22}{line['who']:22}{rate:>10}{spent:>14}{ratio:>10}")
            if line is not own:
                what = f"{own['what'].replace('dicom', 'DICOM').replace('png', 'PNG')}, decoded"
                speed_log.add(what, 1 / own["core_seconds"], line["who"], 1 / line["core_seconds"], "/s")


command, *rest = sys.argv[1:]
if command == "make":
    make(pathlib.Path(rest[0]), rest[1:])
elif command == "measure":
    measure(pathlib.Path(rest[0]))
else:
    table(*rest)
