"""
The Python side against the true bridge: `python -m unittest test_shim` with numpy, torch, aiohttp and Pillow, in this
folder, LINEAGE_TEST_MANIFEST naming what write-manifest.ts printed. Without torch, what needs it is skipped.
"""

import asyncio
import itertools
import importlib
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
import types
import unittest
from unittest import mock

import pack as test_pack

try:
    import torch
except ImportError:
    torch = None

SHIM = test_pack.load_shim().__name__.rpartition(".")[0]
ROOT = test_pack._root
MANIFEST = os.environ["LINEAGE_TEST_MANIFEST"]
ENTRY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "test-bridge.ts")


def module(name):
    return importlib.import_module(f"{SHIM}.{name}")


comfy, connection, exchange, executed = map(module, ("comfy", "connection", "exchange", "executed"))
execute, failures, folders, link = map(module, ("execute", "failures", "folders", "link"))
node_program, nodes, pixels, process, routes = map(module, ("node_program", "nodes", "pixels", "process", "routes"))
LineageFailure = failures.LineageFailure

with open(MANIFEST, encoding="utf-8") as _file:
    _MANIFEST = json.load(_file)
ENTRIES = {entry["id"]: entry for entry in _MANIFEST["nodes"]}
VERSION = (_MANIFEST["protocol"], _MANIFEST["version"])
needs_torch = unittest.skipIf(torch is None, "torch is not installed")


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(is_so, seconds=5.0):
    """The moment when something is so that nobody announces; how long it took."""
    start = time.monotonic()
    while not is_so():
        if time.monotonic() - start > seconds:
            raise AssertionError(f"not so within {seconds} s")
        time.sleep(0.01)
    return time.monotonic() - start


class Comfy:
    """Stands for the few functions of ComfyUI that the shim calls, as 0.8.0 has them."""

    class Interrupted(Exception):
        pass

    def __init__(self):
        self.flag, self.bars = False, []
        management = types.ModuleType("comfy.model_management")
        management.processing_interrupted = lambda: self.flag
        management.InterruptProcessingException = Comfy.Interrupted
        utils = types.ModuleType("comfy.utils")
        owner = self

        class ProgressBar:
            def __init__(self, total, node_id=None):
                self.node_id = node_id

            def update_absolute(self, value, total=None, preview=None):
                owner.bars.append((self.node_id, value, total, preview))

        utils.ProgressBar = ProgressBar
        self.modules = {"comfy.model_management": management, "comfy.utils": utils}

    def __enter__(self):
        sys.modules.update(self.modules)
        return self

    def __exit__(self, *_):
        for name in self.modules:
            sys.modules.pop(name, None)


class Folders(unittest.TestCase):
    def setUp(self):
        self.parent = tempfile.mkdtemp()
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", self.parent], check=True))

    def test_a_folder_is_private(self):
        folder = folders.PrivateFolder(self.parent)
        self.assertEqual(stat.S_IMODE(os.stat(folder.path).st_mode), 0o700)
        folder.remove()
        folder.remove()
        self.assertEqual(os.listdir(self.parent), [])

    def test_what_a_killed_process_left_is_swept_and_the_living_stays(self):
        mine = folders.PrivateFolder(self.parent)
        code = f"""
            import sys, time; sys.path.insert(0, {os.path.dirname(ENTRY)!r})
            import pack; import importlib
            folders = importlib.import_module(pack.load_shim().__name__.rpartition('.')[0] + '.folders')
            folders.PrivateFolder({self.parent!r}); print('made', flush=True); time.sleep(60)
        """
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
        child.stdout.readline()
        self.assertEqual(len(os.listdir(self.parent)), 2)
        self.assertEqual(folders.sweep(self.parent), 0)
        child.kill()
        child.wait()
        child.stdout.close()
        self.assertEqual(folders.sweep(self.parent), 1)
        self.assertEqual(os.listdir(self.parent), [os.path.basename(mine.path)])
        mine.remove()

    def test_neither_links_nor_folders_of_others_are_touched(self):
        other = tempfile.mkdtemp(dir=self.parent)
        pathlib.Path(other, "lock").touch()
        os.symlink(other, os.path.join(self.parent, "lineage-1-link"))
        os.mkdir(os.path.join(self.parent, "lineage-young-without"))
        os.mkdir(os.path.join(self.parent, "lineage-2-young"))
        before = sorted(os.listdir(self.parent))
        self.assertEqual(folders.sweep(self.parent), 0)
        self.assertEqual(sorted(os.listdir(self.parent)), before)


class FindingNode(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", self.folder], check=True))

    def program(self, name, says):
        path = pathlib.Path(self.folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho {says}\n")
        path.chmod(0o755)
        return str(path)

    def find(self, **environment):
        return node_program.find_node(self.folder, os.path.join(self.folder, "home"), environment)

    def code_of(self, **environment):
        with self.assertRaises(LineageFailure) as caught:
            self.find(**environment)
        return caught.exception.code

    def test_the_order(self):
        on_path = self.program("bin/node", "v25.1.0")
        path = os.path.dirname(on_path)
        self.assertEqual(self.find(PATH=path), on_path)
        own = self.program("node_modules/.bin/node", "v24.0.0")
        self.assertEqual(self.find(PATH=path), own)
        chosen = self.program("chosen", "v24.3.1")
        self.program("home/settings.json", "x")
        pathlib.Path(self.folder, "home/settings.json").write_text(json.dumps({"node": chosen}))
        self.assertEqual(self.find(PATH=path), chosen)
        named = self.program("named", "v26.0.0")
        self.assertEqual(self.find(PATH=path, LINEAGE_NODE=named), named)

    def test_an_old_one_is_passed_over_unless_it_is_named(self):
        self.program("node_modules/.bin/node", "v22.9.0")
        good = self.program("bin/node", "v24.0.0")
        self.assertEqual(self.find(PATH=os.path.dirname(good)), good)
        self.assertEqual(self.code_of(LINEAGE_NODE=self.program("old", "v20.1.0")), "bridge/node-old")

    def test_what_is_named_and_does_not_start(self):
        self.assertEqual(self.code_of(LINEAGE_NODE="/nowhere/node"), "bridge/node-setting")
        self.assertEqual(self.code_of(LINEAGE_NODE=self.program("liar", "hello")), "bridge/node-setting")
        self.program("home/settings.json", "x")
        self.assertEqual(self.code_of(), "bridge/node-setting")
        for settings in ('{"node": 5}', "{"):
            pathlib.Path(self.folder, "home/settings.json").write_text(settings)
            self.assertEqual(self.code_of(), "bridge/node-setting")

    def test_a_name_is_never_a_command(self):
        self.assertEqual(self.code_of(LINEAGE_NODE=f"touch {self.folder}/harm; node"), "bridge/node-setting")
        self.assertFalse(os.path.exists(f"{self.folder}/harm"))

    def test_a_bare_clone_is_told_what_to_run(self):
        with self.assertRaises(LineageFailure) as caught:
            process.find_entry(self.folder)
        self.assertEqual(caught.exception.code, "bridge/not-installed")
        self.assertIn("npm ci", str(caught.exception))

    def test_the_environment_of_the_bridge_holds_no_secrets(self):
        given = {"HOME": "/h", "TZ": "UTC", "AWS_SECRET_ACCESS_KEY": "x", "NODE_OPTIONS": "--x", "PATH": "/bin"}
        self.assertEqual(node_program.minimal_environment(given), {"HOME": "/h", "TZ": "UTC"})


class ExchangeFiles(unittest.TestCase):
    def setUp(self):
        self.folders = [tempfile.mkdtemp(), tempfile.mkdtemp()]
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", *self.folders], check=True))
        self.exchange = exchange.Exchange(self.folders)
        self.name = "0123456789abcdef" * 2
        self.path = os.path.join(self.folders[0], self.name)

    def read(self, file):
        taken = []
        try:
            kind, shape, elements = self.exchange.read(file, lambda: taken.append(file))
            read = kind, shape, bytes(elements)
            del elements
            return read
        finally:
            self.assertEqual(taken, [file], "told once, also of what is refused")

    def refused(self, file):
        with self.assertRaises(LineageFailure) as caught:
            self.read(file)
        self.assertEqual(caught.exception.code, "exchange/file")

    def test_bytes_come_back_and_only_ours_are_removed(self):
        for data in (b"", b"abc"):
            file = self.exchange.write_bytes(data)
            self.assertEqual(self.read(file), ("bytes", (len(data),), data))
            path = os.path.join(self.folders[0], file["name"])
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            exchange.Exchange(self.folders).release(file["name"])
            self.assertTrue(os.path.exists(path))
            self.exchange.release(file["name"])
            self.assertFalse(os.path.exists(path))

    def test_a_large_file_that_was_read_is_written_over(self):
        first = self.exchange.write_bytes(bytes(1 << 20))
        second = self.exchange.write_bytes(bytes(1 << 20))
        self.assertTrue(self.exchange.give_back(first["name"]))
        inode = os.stat(os.path.join(self.folders[0], first["name"])).st_ino
        third = self.exchange.write_bytes(b"x" * (1 << 20))
        path = pathlib.Path(self.folders[0], third["name"])
        self.assertEqual((path.read_bytes()[64:66], path.stat().st_ino), (b"xx", inode))
        self.exchange.release(first["name"])
        self.assertTrue(path.exists(), "its old name means nothing any more")
        self.assertEqual(pathlib.Path(self.folders[0], second["name"]).read_bytes()[64:66], bytes(2))
        for file in (third, second, second):
            self.exchange.give_back(file["name"])
        self.exchange.drop_free()
        self.assertEqual(os.listdir(self.folders[0]), [])

    def test_paths_links_and_lies(self):
        file = self.exchange.write_bytes(b"abc")
        whole = pathlib.Path(self.folders[0], file["name"]).read_bytes()
        for name in ("../x", "/etc/passwd", self.name.upper(), self.name + "0", self.name + "\n", "", 5, None):
            self.refused({"place": 0, "name": name})
        for place in (-1, 2, "0", None, True):
            self.refused({"place": place, "name": file["name"]})
        os.symlink(os.path.join(self.folders[0], file["name"]), self.path)
        self.refused({"place": 0, "name": self.name})
        os.remove(self.path)
        os.link(os.path.join(self.folders[0], file["name"]), self.path)
        self.refused({"place": 0, "name": self.name})
        os.remove(self.path)
        os.mkfifo(self.path)
        self.refused({"place": 0, "name": self.name})
        os.remove(self.path)
        for wrong in (b"", whole[:63], whole + b"x", whole[:-1], b"X" + whole[1:], whole[:63] + b"x" + whole[64:]):
            pathlib.Path(self.path).write_bytes(wrong)
            self.refused({"place": 0, "name": self.name})

    def test_what_does_not_fit_into_the_first_folder_goes_into_the_second(self):
        import resource

        # The limit of a file's size stands for a full disk; it holds for both, so that nothing may be left behind.
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        try:
            with self.assertRaises(LineageFailure) as caught:
                self.exchange.write_bytes(bytes(1000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        self.assertEqual(caught.exception.code, "exchange/full")
        self.assertEqual([os.listdir(folder) for folder in self.folders], [[], []])

    def test_a_kept_file_that_cannot_be_written_over_is_dropped(self):
        import resource

        size = 1 << 20
        kept = self.exchange.write_bytes(bytes(size))
        self.exchange.give_back(kept["name"])
        if not exchange._CAN_MAP:  # What is mapped has its room already.
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
            try:
                with self.assertRaises(LineageFailure) as caught:
                    self.exchange.write_bytes(bytes(size))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            self.assertEqual(caught.exception.code, "exchange/full")
            self.assertEqual([os.listdir(folder) for folder in self.folders], [[], []])
            kept = self.exchange.write_bytes(bytes(size))
            self.exchange.give_back(kept["name"])
        path = os.path.join(self.folders[0], kept["name"])
        os.remove(path)
        os.symlink("/dev/null", path)
        with self.assertRaises(LineageFailure) as caught:
            self.exchange.write_bytes(bytes(size))
        self.assertEqual(caught.exception.code, "exchange/file")
        self.assertEqual([os.listdir(folder) for folder in self.folders], [[], []])

        kept = self.exchange.write_bytes(bytes(size))
        self.exchange.give_back(kept["name"])
        os.remove(os.path.join(self.folders[0], kept["name"]))
        self.assertEqual(self.read(self.exchange.write_bytes(b"x" * size))[2], b"x" * size)

    def test_where_no_file_can_be_made_there_is_a_code(self):
        with self.assertRaises(LineageFailure) as caught:
            exchange.Exchange([self.path]).write_bytes(b"abc")
        self.assertEqual(caught.exception.code, "exchange/file")


class ExchangeFilesWithoutMaps(ExchangeFiles):
    """As on systems that cannot promise room for a file beforehand."""

    def setUp(self):
        super().setUp()
        patch = mock.patch.multiple(exchange, _CAN_MAP=False, _POPULATED={})
        patch.start()
        self.addCleanup(patch.stop)


@needs_torch
class Tensors(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", self.folder], check=True))
        self.exchange = exchange.Exchange([self.folder])

    def back(self, tensor, socket="IMAGE"):
        return pixels.read_tensor(pixels.write_tensor(tensor, socket, self.exchange), socket, self.exchange, int)

    def test_every_type_and_layout(self):
        torch.manual_seed(1)
        plain = torch.rand(2, 5, 7, 3)
        with torch.inference_mode():
            inference = torch.rand(1, 4, 4, 3)
        cases = {
            "float32": plain,
            "float16": plain.half(),
            "bfloat16": plain.bfloat16(),
            "float64": plain.double(),
            "uint8": (plain * 255).byte(),
            "bool": plain > 0.5,
            "channels first, permuted": torch.rand(2, 3, 5, 7).permute(0, 2, 3, 1),
            "every second pixel": torch.rand(2, 10, 14, 3)[:, ::2, ::2],
            "expanded": torch.rand(1, 5, 7, 1).expand(3, 5, 7, 3),
            "flipped": plain.flip(2),
            "of a graph": plain.clone().requires_grad_(),
            "inference": inference,
            "RGBA": torch.rand(1, 2, 2, 4),
            "one pixel": torch.rand(1, 1, 1, 3),
            "not finite": torch.tensor([[[[float("nan"), float("inf"), -1.0]]]]),
        }
        for name, tensor in cases.items():
            with self.subTest(name):
                expected = tensor.detach().to(torch.float32)
                got = self.back(tensor)
                self.assertTrue(torch.equal(got.nan_to_num(9), expected.nan_to_num(9)))
                self.assertTrue(got.is_contiguous() and got.dtype == torch.float32)

    def test_a_picture_without_batch_and_a_grey_one(self):
        one = torch.rand(4, 5, 3)
        self.assertTrue(torch.equal(self.back(one), one[None]))
        grey = torch.rand(2, 4, 5, 1)
        self.assertTrue(torch.equal(self.back(grey), grey.repeat(1, 1, 1, 3)))

    def test_masks(self):
        mask = torch.rand(2, 4, 5)
        self.assertTrue(torch.equal(self.back(mask, "MASK"), mask))
        self.assertTrue(torch.equal(self.back(mask[0], "MASK"), mask[:1]))
        self.assertTrue(torch.equal(self.back(mask[:, None], "MASK"), mask))

    def test_eight_bits_become_floats(self):
        data = bytes([0, 1, 254, 255, 128, 7])
        file = self.exchange.write("uint8", (1, 1, 2, 3), lambda view: view.__setitem__(slice(None), data))
        expected = torch.tensor(list(data), dtype=torch.float32).reshape(1, 1, 2, 3) / 255
        self.assertTrue(torch.equal(pixels.read_tensor(file, "IMAGE", self.exchange, int), expected))

    def test_floats_become_eight_bits_as_core_saves_them(self):
        import numpy

        torch.manual_seed(1)
        plain = torch.cat([torch.rand(2, 5, 7, 3) * 1.2 - 0.1, torch.arange(210).view(2, 5, 7, 3) / 209])
        inf = float("inf")
        plain[0, 0, 0] = torch.tensor([inf, -inf, 1.0])
        for tensor in (plain, plain.half(), plain.flip(1), plain.movedim(3, 1).contiguous().movedim(1, 3)):
            file = pixels.write_tensor(tensor, "IMAGE", self.exchange, "uint8")
            kind, shape, elements = self.exchange.read(file, int)
            # nodes.py of ComfyUI 618b803d, SaveImage.
            expected = numpy.clip(255.0 * tensor.float().numpy(), 0, 255).astype(numpy.uint8)
            self.assertEqual((kind, shape, bytes(elements)), ("uint8", (4, 5, 7, 3), expected.tobytes()))
        file = pixels.write_tensor(torch.full((1, 1, 1, 3), float("nan")), "IMAGE", self.exchange, "uint8")
        self.assertEqual(bytes(self.exchange.read(file, int)[2]), bytes(3))

    def test_a_tensor_lies_in_the_file_until_its_end(self):
        taken = []
        file = pixels.write_tensor(torch.full((1, 512, 512, 3), 0.5), "IMAGE", self.exchange)
        with mock.patch.object(exchange, "_has_room", lambda folder: True):
            tensor = pixels.read_tensor(file, "IMAGE", self.exchange, lambda: taken.append(1))
        crop = tensor[:, 1:]
        del tensor
        self.assertEqual(taken, [])
        crop.mul_(2)
        self.assertEqual(crop.unique().tolist(), [1.0])
        del crop
        self.assertEqual(taken, [1])

    def test_a_tensor_is_a_copy_where_shared_memory_is_short(self):
        taken = []
        file = pixels.write_tensor(torch.full((1, 512, 512, 3), 0.5), "IMAGE", self.exchange)
        with mock.patch.object(exchange, "_has_room", lambda folder: False):
            tensor = pixels.read_tensor(file, "IMAGE", self.exchange, lambda: taken.append(1))
        self.assertEqual((taken, tensor.unique().tolist()), ([1], [0.5]))

    def test_what_cannot_be_written_leaves_nothing(self):
        def fail(view):
            raise MemoryError

        with self.assertRaises(MemoryError):
            self.exchange.write("bytes", (3,), fail)
        self.assertEqual(os.listdir(self.folder), [])

    def test_what_is_no_picture(self):
        for wrong in (torch.rand(5), torch.rand(1, 0, 4, 3), torch.rand(1, 4, 4, 2), "x", None, [1]):
            with self.assertRaises(LineageFailure) as caught:
                pixels.write_tensor(wrong, "IMAGE", self.exchange)
            self.assertEqual(caught.exception.code, "image/shape")
        self.assertEqual(os.listdir(self.folder), [])


class Checkpoints(unittest.TestCase):
    """Files that the bridge names; ComfyUI's loader is stood in for."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.inside = self.root / "output" / "checkpoints" / "child.safetensors"
        self.inside.parent.mkdir(parents=True)
        self.inside.touch()
        self.loaded = []
        said = {"output": str(self.root / "output"), "models": {"checkpoints": [str(self.root / "models")]}}

        def load(file):
            self.loaded.append(file)
            return ("model", "clip", "vae")

        for name, stand_in in (("settings", lambda: said), ("load_checkpoint", load)):
            patch = mock.patch.object(comfy, name, stand_in)
            patch.start()
            self.addCleanup(patch.stop)

    def test_three_parts_are_one_file(self):
        made = module("checkpoints").Checkpoints()
        parts = [made.part(str(self.inside), part) for part in ("MODEL", "CLIP", "VAE")]
        self.assertEqual(parts, ["model", "clip", "vae"])
        self.assertEqual(self.loaded, [os.path.realpath(self.inside)])

    def test_a_file_elsewhere_is_not_loaded_also_by_a_link(self):
        outside = self.root / "outside.safetensors"
        outside.touch()
        link = self.inside.with_name("link.safetensors")
        link.symlink_to(outside)
        for file in (outside, link, self.inside.parent / ".." / ".." / "outside.safetensors"):
            with self.assertRaises(LineageFailure):
                module("checkpoints").Checkpoints().part(str(file), "MODEL")
        self.assertEqual(self.loaded, [])


class Running(unittest.IsolatedAsyncioTestCase):
    """All tests of one class share a bridge, unless they end it."""

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.mkdtemp()
        os.environ["LINEAGE_HOME"] = cls.home
        os.environ["A_SECRET_OF_OTHERS"] = "very-secret"
        cls.link = link.Link(ROOT, VERSION, ENTRY)

    @classmethod
    def tearDownClass(cls):
        cls.link.close()
        subprocess.run(["rm", "-rf", cls.home], check=True)

    async def run_node(self, name, node_id="7", prompt=None, **inputs):
        return await execute.run_node(self.link, ENTRIES[name], inputs, prompt or {}, None, node_id)

    def exchanged(self):
        return [name for folder in self.link.connection.process.exchange_folders for name in os.listdir(folder) if name != "lock"]

    async def test_an_empty_node(self):
        self.assertEqual(await self.run_node("LineageTestEmpty", text="héllo"), (["héllo"], None))

    async def test_numbers_keep_every_digit_and_their_type(self):
        outputs, _ = await self.run_node("LineageTestCarry", int=2**64 - 1, float=5.0, any=-(2**63))
        self.assertEqual(outputs[2:5], [-(2**63), 5.0, 2**64 - 1])
        self.assertEqual([type(value) for value in outputs[2:5]], [int, float, int])
        outputs, _ = await self.run_node("LineageTestCarry", float=float("-inf"), any=float("nan"))
        self.assertEqual(outputs[3], float("-inf"))
        self.assertNotEqual(outputs[2], outputs[2])

    async def test_objects_never_leave_and_come_back_as_themselves(self):
        latent, model = {"samples": object()}, object()
        outputs, _ = await self.run_node("LineageTestCarry", latent=latent, any=model, extra={"a": "b"})
        self.assertIs(outputs[0], latent)
        self.assertIs(outputs[2], model)
        self.assertEqual(outputs[5], {"a": "b"})

    async def test_what_is_no_plain_data_is_refused(self):
        for value in (object(), {"a": float("nan")}, {1, 2}):
            with self.assertRaises(LineageFailure) as caught:
                await self.run_node("LineageTestCarry", extra=value)
            self.assertEqual(caught.exception.code, "bridge/value")

    @needs_torch
    async def test_pictures_and_masks(self):
        images = torch.rand(2, 5, 7, 3)
        (inverted, same), _ = await self.run_node("LineageTestInvert", images=images)
        self.assertTrue(torch.equal(inverted, 1 - images))
        self.assertIs(same, images)
        mask = torch.rand(2, 5, 7)
        outputs, _ = await self.run_node("LineageTestCarry", mask=mask)
        self.assertIs(outputs[1], mask)
        self.assertEqual(self.exchanged(), [])

    @needs_torch
    async def test_nothing_is_left_after_many_runs_side_by_side(self):
        images = torch.rand(1, 64, 64, 3)
        await asyncio.gather(*(self.run_node("LineageTestCopy", images=images) for _ in range(30)))
        with self.assertRaises(LineageFailure):
            await self.run_node("LineageTestInvert", images="x")
        large = torch.rand(1, 640, 640, 3)
        for _ in range(5):
            await self.run_node("LineageTestCopy", images=large)
        wait_until(lambda: self.exchanged() == [])

    async def test_a_failure_has_code_hint_and_place_and_its_stack_is_logged(self):
        with self.assertLogs("lineage", "ERROR") as logged, self.assertRaises(LineageFailure) as caught:
            await self.run_node("LineageTestFail", "57:8", how="expected")
        self.assertEqual(
            str(caught.exception),
            "[image/shape] expected a square, got a circle (node 57:8)\n"
            "What to do: Give samples of shape [height, width, channels] with 1, 3 or 4 channels, 1 to 16384 pixels a side.",
        )
        self.assertTrue(any("test-nodes.ts" in line for line in logged.output))
        self.assertTrue(all("[lineage]" in line for line in logged.output))

    async def test_a_bug_is_logged_without_its_control_characters(self):
        with self.assertLogs("lineage", "ERROR") as logged, self.assertRaises(LineageFailure) as caught:
            await self.run_node("LineageTestFail", how="bug")
        self.assertEqual(caught.exception.code, "bug")
        self.assertNotIn("\x1b", "".join(logged.output))

    async def test_an_interrupt_reaches_the_node_within_a_tenth_of_a_second(self):
        with Comfy() as ui:
            task = asyncio.ensure_future(self.run_node("LineageTestSlow", milliseconds=60_000))
            while not ui.bars:
                await asyncio.sleep(0.01)
            ui.flag, start = True, time.monotonic()
            with self.assertRaises(Comfy.Interrupted):
                await task
            self.assertLess(time.monotonic() - start, 0.1)
            self.assertTrue(ui.flag, "the flag stays up for the nodes beside it")
        self.assertEqual((await self.run_node("LineageTestEmpty", text="next"))[0], ["next"])

    @needs_torch
    async def test_progress_and_previews_show(self):
        with Comfy() as ui:
            _, shown = await self.run_node("LineageTestSlow", "57:8", milliseconds=450)
        self.assertEqual(shown, {"text": ["450"]})
        self.assertGreaterEqual(len(ui.bars), 3)
        self.assertLessEqual(len(ui.bars), 7)
        node_id, value, total, (kind, image, _) = ui.bars[0]
        self.assertEqual((node_id, value, total, kind, image.size), ("57:8", 1, 23, "JPEG", (64, 64)))
        self.assertEqual(image.getpixel((5, 5)), (255, 0, 0))

    async def test_nodes_overlap(self):
        await self.run_node("LineageTestEmpty", text="")
        start = time.monotonic()
        await asyncio.gather(*(self.run_node("LineageTestSlow", str(each), milliseconds=400) for each in range(4)))
        self.assertLess(time.monotonic() - start, 1.2)

    async def test_the_token_is_nowhere_and_the_environment_is_small(self):
        _, ui = await self.run_node("LineageTestLook")
        running = self.link.connection.process
        given = pathlib.Path(f"/proc/{running.pid}/environ").read_bytes().decode().split("\0")
        self.assertLessEqual({line.partition("=")[0] for line in given if line}, set(node_program._KEPT))
        for file in ("cmdline", "environ"):
            for pid in ("self", running.pid):
                self.assertNotIn(running.token.encode(), pathlib.Path(f"/proc/{pid}/{file}").read_bytes())
        self.assertNotIn(running.token, "".join(map(str, ui["text"])))

    async def test_the_socket_and_the_folders_are_private(self):
        await self.run_node("LineageTestEmpty", text="")
        running = self.link.connection.process
        self.assertEqual(stat.S_IMODE(os.stat(running.socket).st_mode), 0o600)
        for folder in (os.path.dirname(running.socket), *running.exchange_folders):
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)

    async def test_values_that_ran_already_are_seen(self):
        entry = types.SimpleNamespace(outputs=[[7.0], [2**63], ["text"], [1, 2], [True]])
        cache = types.SimpleNamespace(get=lambda node_id: entry if node_id == "4" else None)

        class Executor:
            caches = types.SimpleNamespace(outputs=cache)

            async def execute_async(self, test):
                return await asyncio.ensure_future(test.run_node("LineageTestLook", "9", prompt=prompt))

        prompt = {"9": {"inputs": {"after": ["5", 0]}}, "5": {"inputs": {"x": ["4", 0]}}, "4": {"inputs": {}}}
        task = asyncio.ensure_future(Executor().execute_async(self))
        _, ui = await task
        self.assertIn(
            '"executed":[["4",0,7.0],["4",1,9223372036854775808],["4",2,"text"]]', ui["text"][0]
        )

    async def test_what_others_write_into_the_graphs_while_they_run_is_seen(self):
        prompt, extra = {"4": {"inputs": {"seed": -1}}}, {"workflow": {"seed": -1}, "other": object()}
        for seed in (-1, 2**64 - 1):
            prompt["4"]["inputs"]["seed"] = extra["workflow"]["seed"] = seed
            _, ui = await execute.run_node(self.link, ENTRIES["LineageTestLook"], {}, prompt, extra, "7")
            self.assertIn(f'"prompt":{{"4":{{"inputs":{{"seed":{seed}}}}}}}', ui["text"][0])
            self.assertIn(f'"workflow":{{"seed":{seed}}},"other":{{"__object__":"object"}}', ui["text"][0])
        circle = {}
        circle["in"] = circle
        for wrong in ({(1, 2): 3}, circle):
            with self.assertRaises(LineageFailure) as caught:
                await execute.run_node(self.link, ENTRIES["LineageTestLook"], {}, {}, wrong, "7")
            self.assertEqual(caught.exception.code, "bridge/value")

    async def test_an_unknown_place_of_executed_values_is_told_once(self):
        executed._is_told = False
        with self.assertLogs("lineage", "DEBUG") as logged:
            for _ in range(2):
                self.assertEqual(executed.collect({"1": {"inputs": {}}}, "1"), [])
        self.assertEqual(len(logged.output), 1)

    async def test_a_dynamic_menu_arrives_with_the_inputs_of_its_word(self):
        told, _ = await self.run_node("LineageTestChoose", way={"way": "mixed", "rounds": 2, "share": None, "loud": False})
        self.assertEqual(json.loads(told[0]), {"chosen": "mixed", "inputs": {"rounds": 2, "loud": False}})
        self.assertEqual(json.loads((await self.run_node("LineageTestChoose", way="plain"))[0][0])["chosen"], "plain")
        with self.assertRaises(LineageFailure) as caught:
            await self.run_node("LineageTestChoose", way={"way": "mixed", "rounds": 2, "share": object()})
        self.assertEqual(caught.exception.code, "bridge/value")

    @needs_torch
    async def test_numbers_of_numpy_inside_a_dynamic_menu(self):
        numpy = importlib.import_module("numpy")
        way = {"way": "mixed", "rounds": numpy.int64(2), "share": numpy.float64(0.25)}
        told, _ = await self.run_node("LineageTestChoose", way=way)
        self.assertEqual(json.loads(told[0])["inputs"], {"share": 0.25, "rounds": 2})

    def test_a_dynamic_menu_where_the_host_knows_it_and_where_not(self):
        class Io:
            @staticmethod
            def Custom(kind):
                class Type:
                    @staticmethod
                    def Input(name, **rest):
                        return name, kind, rest["extra_dict"]

                return Type

        declared = ENTRIES["LineageTestChoose"]["inputs"][0]
        name, kind, options = nodes._v3_input(Io, declared)
        self.assertEqual((name, kind), ("way", "COMBO"))
        self.assertEqual((options["options"], options["default"]), (["plain", "mixed"], "plain"))
        Io.DynamicCombo = object
        name, kind, options = nodes._v3_input(Io, declared)
        self.assertEqual(kind, "COMFY_DYNAMICCOMBO_V3")
        self.assertEqual([each["key"] for each in options["options"]], ["plain", "mixed"])
        old = nodes.make_v1_class(ENTRIES["LineageTestChoose"], self.link).INPUT_TYPES()
        self.assertEqual(old["required"]["way"][0], ["plain", "mixed"])

    async def test_the_class_of_the_old_api(self):
        node = nodes.make_v1_class(ENTRIES["LineageTestEmpty"], self.link)
        self.assertEqual(node.INPUT_TYPES()["required"]["text"][0], "STRING")
        # This executor cannot await, so the node blocks, in a thread as there.
        result = await asyncio.to_thread(lambda: getattr(node(), node.FUNCTION)(text="x", lineage_id="3"))
        self.assertEqual(result, {"result": ("x",)})


class Ending(unittest.IsolatedAsyncioTestCase):
    ids = itertools.count(1)

    def setUp(self):
        os.environ["LINEAGE_HOME"] = self.home = tempfile.mkdtemp()
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", self.home], check=True))

    def new_link(self, entry=ENTRY, **options):
        made = link.Link(ROOT, VERSION, entry, **options)
        self.addCleanup(made.close)
        return made

    async def run_on(self, made, name, **inputs):
        return await execute.run_node(made, ENTRIES[name], inputs, {}, None, str(next(self.ids)))

    async def test_calls_of_one_saving_node_keep_their_order_and_others_go_on(self):
        made, ended = self.new_link(), []

        async def call(node_id, milliseconds):
            await execute.run_node(made, ENTRIES["LineageTestSlow"], {"milliseconds": milliseconds}, {}, None, node_id)
            ended.append((node_id, milliseconds))

        await asyncio.gather(call("7", 400), call("7", 0), call("8", 100))
        self.assertEqual(ended, [("8", 100), ("7", 400), ("7", 0)])

    async def test_a_killed_bridge_fails_its_nodes_at_once_and_the_next_run_works(self):
        made = self.new_link()
        with Comfy() as ui:
            tasks = [asyncio.ensure_future(self.run_on(made, "LineageTestSlow", milliseconds=60_000)) for _ in range(2)]
            while not ui.bars:
                await asyncio.sleep(0.01)
            before = made.connection.process
            start = time.monotonic()
            os.kill(before.pid, signal.SIGKILL)
            for task in tasks:
                with self.assertRaises(LineageFailure) as caught:
                    await task
                self.assertEqual(caught.exception.code, "bridge/lost")
            self.assertLess(time.monotonic() - start, 2)
        self.assertEqual((await self.run_on(made, "LineageTestEmpty", text="again"))[0], ["again"])
        self.assertFalse(os.path.exists(before.exchange_folders[0]))

    async def test_a_node_that_ends_the_bridge_fails_with_a_code(self):
        made = self.new_link()
        with self.assertRaises(LineageFailure) as caught:
            await self.run_on(made, "LineageTestFail", how="crash")
        self.assertEqual(caught.exception.code, "bridge/lost")
        self.assertIn("signal 9", str(caught.exception))

    async def test_a_message_that_is_not_understood_ends_the_connection_at_once(self):
        made = self.new_link()
        await self.run_on(made, "LineageTestEmpty", text="x")
        broken = made.connection

        def dispatch(message):
            raise KeyError(message["kind"])

        broken._dispatch = dispatch
        start = time.monotonic()
        with self.assertLogs("lineage", "ERROR") as logged, self.assertRaises(LineageFailure) as caught:
            await self.run_on(made, "LineageTestEmpty", text="x")
        self.assertEqual(caught.exception.code, "bridge/lost")
        self.assertLess(time.monotonic() - start, 2)
        self.assertTrue(any("KeyError" in line for line in logged.output))
        wait_until(lambda: not is_running(broken.process.pid))
        self.assertEqual((await self.run_on(made, "LineageTestEmpty", text="y"))[0], ["y"])

    def test_hints_come_by_the_manifest(self):
        self.assertIn(_MANIFEST["hints"]["bridge/lost"], str(LineageFailure("bridge/lost", "expected more")))
        self.assertEqual(str(LineageFailure("bridge/of-another", "expected more")), "[bridge/of-another] expected more")

    async def test_a_bridge_that_hangs_is_ended(self):
        before = connection._BEAT_SECONDS, connection._SILENCE_SECONDS
        connection._BEAT_SECONDS, connection._SILENCE_SECONDS = 0.3, 1
        try:
            made = self.new_link()
            await self.run_on(made, "LineageTestEmpty", text="x")
            hung = made.connection.process
            os.kill(hung.pid, signal.SIGSTOP)
            with self.assertRaises(LineageFailure) as caught:
                await self.run_on(made, "LineageTestEmpty", text="x")
            self.assertEqual(caught.exception.code, "bridge/hung")
            wait_until(lambda: not is_running(hung.pid))
            self.assertEqual((await self.run_on(made, "LineageTestEmpty", text="y"))[0], ["y"])
        finally:
            connection._BEAT_SECONDS, connection._SILENCE_SECONDS = before

    async def test_a_node_of_an_expansion_sees_both_graphs(self):
        dynamic = types.SimpleNamespace(ephemeral_prompt={"1.0.0": {"inputs": {"x": object()}}})
        merged = nodes._prompt_around("1.0.0", {"1": {"inputs": {}}}, dynamic)
        self.assertEqual(
            json.loads(execute._to_json(merged)),
            {"1": {"inputs": {}}, "1.0.0": {"inputs": {"x": {"__object__": "object"}}}},
        )
        queued = {"1": {"inputs": {}}}
        self.assertIs(nodes._prompt_around("1", queued, dynamic), queued)

    async def test_over_a_port_of_this_machine(self):
        made = self.new_link(loopback=True)
        self.assertEqual((await self.run_on(made, "LineageTestEmpty", text="x"))[0], ["x"])
        self.assertIsNone(made.connection.process.socket)

    async def test_a_bridge_of_another_version_is_refused(self):
        made = link.Link(ROOT, (VERSION[0], "9.9.9"), ENTRY)
        self.addCleanup(made.close)
        with self.assertRaises(LineageFailure) as caught:
            await self.run_on(made, "LineageTestEmpty", text="x")
        self.assertEqual(caught.exception.code, "bridge/version")

    async def test_a_program_that_does_not_start_is_tried_less_and_less_often(self):
        entry = os.path.join(self.home, "broken.mjs")
        pathlib.Path(entry).write_text("console.error('no such luck'); process.exit(3)")
        made = self.new_link(entry)
        times = []
        for _ in range(3):
            start = time.monotonic()
            with self.assertRaises(LineageFailure) as caught:
                await self.run_on(made, "LineageTestEmpty", text="x")
            times.append(time.monotonic() - start)
            self.assertEqual(caught.exception.code, "bridge/no-start")
            self.assertIn("status 3", str(caught.exception))
        self.assertGreater(times[2], 0.4)
        self.assertEqual(routes.describe(made)["error"]["code"], "bridge/no-start")

    def test_when_this_process_is_killed_nothing_of_it_is_left(self):
        code = f"""
            import asyncio, os, sys; sys.path.insert(0, {os.path.dirname(ENTRY)!r})
            import test_shim as t
            made = t.link.Link(t.ROOT, t.VERSION, t.ENTRY)
            async def main():
                await t.execute.run_node(made, t.ENTRIES['LineageTestEmpty'], {{'text': ''}}, {{}}, None, '1')
                running = made.connection.process
                print(t.json.dumps([running.pid, running.socket, *running.exchange_folders]), flush=True)
                await t.execute.run_node(made, t.ENTRIES['LineageTestSlow'], {{'milliseconds': 60000}}, {{}}, None, '1')
            asyncio.run(main())
        """
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
        pid, *paths = json.loads(child.stdout.readline())
        self.assertTrue(is_running(pid) and all(map(os.path.exists, paths)))
        child.kill()
        child.wait()
        child.stdout.close()
        self.assertLess(wait_until(lambda: not is_running(pid)), 2)
        wait_until(lambda: not any(map(os.path.exists, paths)))

    def test_importing_takes_no_time_and_imports_nothing_large(self):
        code = """
            import json, os, sys, time
            import importlib.util
            spec = importlib.util.spec_from_file_location("/a/path_x_y", os.path.join(sys.argv[1], "__init__.py"))
            module = importlib.util.module_from_spec(spec)
            sys.modules["/a/path_x_y"] = module
            import json, asyncio, logging, subprocess, tempfile, concurrent.futures, urllib.parse
            start = time.process_time()
            spec.loader.exec_module(module)
            seconds = time.process_time() - start
            large = [name for name in ("torch", "numpy", "aiohttp", "PIL") if name in sys.modules]
            print(json.dumps([seconds, large, sorted(set(vars(module)) & {"NODE_CLASS_MAPPINGS", "comfy_entrypoint"})]))
        """
        # Compiled once, as at any start but the first; the time of this process alone, whatever else the machine does.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": self.home, "PYTHONDONTWRITEBYTECODE": ""}
        runs = []
        for _ in range(4):
            answer = subprocess.run(
                [sys.executable, "-c", textwrap.dedent(code), ROOT],
                stdout=subprocess.PIPE,
                check=True,
                cwd=self.home,
                env=environment,
            )
            seconds, large, exports = json.loads(answer.stdout)
            self.assertEqual((large, exports), ([], ["NODE_CLASS_MAPPINGS"]))
            runs.append(seconds)
        self.assertLess(min(runs), 0.05)


class Routes(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        from aiohttp import web
        from aiohttp.test_utils import TestClient, TestServer

        os.environ["LINEAGE_HOME"] = self.home = tempfile.mkdtemp()
        self.output = os.path.join(self.home, "output")
        os.mkdir(self.output)
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", self.home], check=True))
        paths = types.ModuleType("folder_paths")
        paths.folder_names_and_paths = {}
        for kind in ("output", "input", "temp", "user"):
            setattr(paths, f"get_{kind}_directory", lambda kind=kind: os.path.join(self.home, kind))
        server = types.ModuleType("server")
        table = web.RouteTableDef()
        server.PromptServer = types.SimpleNamespace(instance=types.SimpleNamespace(routes=table))
        sys.modules.update({"server": server, "folder_paths": paths})
        self.addCleanup(lambda: [sys.modules.pop(name) for name in ("server", "folder_paths")])
        self.link = link.Link(ROOT, VERSION, ENTRY)
        self.addCleanup(self.link.close)
        routes.register(self.link)
        app = web.Application()
        app.add_routes(table)
        self.client = TestClient(TestServer(app))
        await self.client.start_server()
        self.addAsyncCleanup(self.client.close)

    async def test_asking_for_the_status_starts_nothing(self):
        answer = await self.client.get("/lineage/status")
        self.assertEqual((answer.status, (await answer.json())["running"]), (200, False))
        self.assertIsNone(self.link.connection)

    async def test_the_panel_answers_through_the_bridge(self):
        answer = await self.client.get("/lineage/receipt?filename=nothing.png")
        self.assertEqual((answer.status, (await answer.json())["error"]["code"]), (404, "file/missing"))
        answer = await self.client.get("/lineage/receipt?filename=passwd&subfolder=../../etc")
        self.assertEqual((await answer.json())["error"]["code"], "path/outside")
        answer = await self.client.post("/lineage/workflow", data=b"no picture", headers={"Content-Type": "image/png"})
        self.assertEqual((answer.status, (await answer.json())["error"]["code"]), (415, "image/unknown-format"))
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    async def test_other_sites_are_turned_away_before_anything_starts(self):
        host = f"{self.client.host}:{self.client.port}"
        for headers in (
            {"Origin": "null"},
            {"Origin": "http://evil.example"},
            {"Origin": f"http://{host}", "Sec-Fetch-Site": "cross-site"},
            {"Origin": f"http://{self.client.host}:1"},
        ):
            for ask in (self.client.get, self.client.post):
                answer = await ask("/lineage/receipt", headers=headers)
                self.assertEqual(answer.status, 403, headers)
        answer = await self.client.post("/lineage/workflow", data={"a": "b"}, headers={"Origin": f"http://{host}"})
        self.assertEqual(answer.status, 415)
        self.assertEqual((await self.client.put("/lineage/receipt")).status, 405)
        self.assertIsNone(self.link.connection)


if __name__ == "__main__":
    unittest.main()
