"""Stands where ComfyUI's main.py is expected: takes its flags, becomes `lineage serve`.

The suite starts `python main.py FLAGS` and kills that very process, so this must exec, not spawn.
Set by the runner: SUITE_NODE (a Node to run with), SUITE_PROGRAM (lineage.mjs), SUITE_NODES (the testing pack).
"""
import argparse
import os
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("--output-directory", required=True)
parser.add_argument("--listen", default="127.0.0.1")
parser.add_argument("--port", default="8188")
parser.add_argument("--cpu", action="store_true")
parser.add_argument("--extra-model-paths-config")
parser.add_argument("--cache-lru", type=int, default=0)
parser.add_argument("--cache-none", action="store_true")
flags = parser.parse_args()

# As in ComfyUI, an LRU cache of no entries is the classic cache (618b803d main.py).
cache = "none" if flags.cache_none else f"lru:{flags.cache_lru}" if flags.cache_lru > 0 else "classic"
# A folder of its own for each server: the suite counts what history holds.
base = tempfile.mkdtemp(prefix="base-", dir=os.getcwd())
command = [
    os.environ["SUITE_NODE"], os.environ["SUITE_PROGRAM"], "serve",
    "--listen", flags.listen, "--port", flags.port, "--output", os.path.abspath(flags.output_directory),
    "--base", base, "--nodes", os.environ["SUITE_NODES"], "--cache", cache,
]
sys.stdout.flush()
os.execv(command[0], command)
