"""Records how a real ComfyUI 0.8.0 (618b803d) answers odd prompts.

    python record_validation.py http://127.0.0.1:8188 fixtures/comfy-api

writes validation.json, and object-info.json: how it lists the same classes. The server needs validation-nodes/ (beside this file) among its custom nodes, and nothing else to do. Kept of each case:
the body as it was posted; the status; the answer without tracebacks, ids and the counter; and of an accepted prompt what
the history shows of it: the prompt as validation left it, and the outputs that ran.
"""

import json
import sys
import time
import urllib.error
import urllib.request

BASE = sys.argv[1]
CASES = {}


def case(name, body):
    assert name not in CASES
    CASES[name] = body if isinstance(body, str) else json.dumps(body)


def prompt(name, nodes, **more):
    case(name, {"prompt": nodes, **more})


def node(kind, inputs=None, **more):
    return {"class_type": kind, "inputs": inputs or {}, **more}


# Bodies
case("no body", "")
case("broken JSON", '{"prompt":')
case("byte order mark", '\ufeff{"prompt": {}}')
for text in ["[]", '["number"]', '["prompt"]', '"abc"', '"a prompt"', "5", "null", "true", "{}", "1e5"]:
    case(f"body {text}", text)
for value in ["null", '"abc"', '" 7 "', "true", "-3", "2.5", "[1]", "{}"]:
    case(f"number {value}", '{"number": %s, "prompt": {"1": {"class_type": "ProbeEmpty", "inputs": {}}}}' % value)
for value in ["null", '""', '"abc"', "[]", "[1]", "5", "true", "{}"]:
    case(f"prompt {value}", '{"prompt": %s}' % value)
for value in ["null", '"text"', '"class_type"', '["class_type"]', "[]", "5", "{}", "false"]:
    case(f"node {value}", '{"prompt": {"1": %s}}' % value)
for value in ["null", "5", "5.0", "true", '""', '"Missing"', "[]", "{}", '"constructor"']:
    case(f"class {value}", '{"prompt": {"1": {"class_type": %s, "inputs": {}}}}' % value)
prompt("missing class among others", {"1": node("ProbeEmpty"), "2": {"inputs": {}}})
prompt("unknown class with a title", {"1": node("Missing", _meta={"title": "Mine"})})
prompt("no output", {"1": node("ProbeSource")})
empties = {"1": node("ProbeEmpty"), "12": node("ProbeEmpty")}
for value in [None, [], ["1"], ["2"], [1], "12", "x2", {"12": 0}, "", 5, True]:
    prompt(f"targets {json.dumps(value)}", empties, partial_execution_targets=value)
for value in [None, [], "text", {"a": 1}]:
    prompt(f"extra_data {json.dumps(value)}", {"1": node("ProbeEmpty")}, extra_data=value, client_id="c")
for value in ["None", "{}", "list", "text"]:
    inputs = {"None": None, "{}": {}, "list": ["a"], "text": "abc"}[value]
    prompt(f"inputs {value}", {"1": {"class_type": "ProbeRequired", "inputs": inputs}})
prompt("no inputs", {"1": {"class_type": "ProbeEmpty"}})
prompt("no inputs upstream", {"1": node("ProbeRequired", {"image": ["2", 0], "seed": 1}), "2": {"class_type": "ProbePass"}})

# Literals
KINDS = {
    "small": ["5", '"5"', "5.7", "-5.7", "true", "null", '"abc"', '" 1_0 "', '"1__0"', '"5.0"', '""', "-6", "11", "1e1",
              "[]", "{}", '{"a": 1}', '{"__value__": 7}', '{"__value__": [1, 2]}', '{"__value__": "x"}', "1e400"],
    "int": ["18446744073709551615", "18446744073709551616", "-9223372036854775809", '"123456789012345678901234567890"',
            "1e30", "9007199254740993", "-0", "-0.0", '"+7"', '"- 7"', '"\\u00a07"', "1e-9", '"0x10"', '"nan"', '"it\'s"'],
    "part": ["0.5", "1", '"1"', "0.4", "1.6", "2", '"nan"', '"inf"', "true", "null", '"x"', "1e-5", "1e400"],
    "float": ["8", "8.0", "0.1", "1e-7", "1e16", "1e15", "123456789012345678", "1e22", "0.0001", "0.00001", "-0.0",
              "1e100", '"1_0.5"', '".5"', '"5."', '"1e5"', '" -Infinity "', '"NaN"', "5e-324", "2e0", "[1]", '"1 2"',
              "1.0000000000000000001", '{"__value__": 3}', "{}", "1" + "0" * 400],
    "text": ['"a"', "5", "5.0", "1e-7", "true", "false", "null", '{"a": [1, null, "x", 2.50]}', '{"__value__": [1, "it\'s", true]}',
             "18446744073709551615", '"\\u0000"', '{"__value__": {"k\\n": "\\u2028\\ud83d\\ude00\\u00e9\\u007f"}}'],
    "flag": ["true", "false", '"false"', '""', "0", "0.0", "-0.0", "1", "null", "{}", '{"a": 1}', '{"__value__": []}'],
    "menu": ['"a"', '"it\'s"', '"b"', "1", "null", '{"__value__": ["a"]}', '"say \\"it\'s\\""'],
    "combo": ['"a"', '"c"', "5", "5.0", "true", '{"__value__": ["a"]}', '""'],
    "numbers": ["1", "1.0", "true", "2.5", "2", '"x"', '"1"'],
    "long": ['"w3"', '"w99"'],
    "image": ['"abc"', "5", "5.0", "null", "{}", '{"__value__": [1, 2]}', '{"__value__": ["1", 0]}', "[1, 2, 3]", "[]"],
    "any": ["5", "5.0", '"x"', "null", "18446744073709551615"],
    "either": ["5", "5.0"],
    "mixed": ["5", "5.0", "-1", "11.0", '"x"', "null", "true"],
    "odd": ['"x"', "5"],
    "bound": ["true", "false"],
    "undeclared": ["5.0", '"x"', "[1, 2, 3]", '["1", 0]', '{"__value__": 4}'],
}
for name, literals in KINDS.items():
    for literal in literals:
        short = literal if len(literal) < 60 else f"of {len(literal)} characters"
        case(f"{name} {short}", '{"prompt": {"1": {"class_type": "ProbeKinds", "inputs": {"%s": %s}}}}' % (name, literal))
case("int with too many digits", '{"prompt": {"1": {"class_type": "ProbeKinds", "inputs": {"int": "%s"}}}}' % ("1" * 4301))
case("JSON with too many digits", '{"prompt": {"1": {"class_type": "ProbeKinds", "inputs": {"int": %s}}}}' % ("1" * 4301))

# Links
for link in ['["2", 0]', '["2", 1]', '["2", 2]', '["2", 3]', '["2", 4]', '["2", 6]', '["2", -1]', '["2", -6]', '["2", -7]',
             '["2", 0.0]', '["2", 3.5]', '["2", "0"]', '["2", null]', '["2", true]', '["2", []]', '["9", 0]', "[2, 0]", "[2.0, 0]", "[null, 0]",
             "[true, 0]", "[[], 0]", "[{}, 0]", '["it\'s", 0]', '["2", 18446744073709551615]', '["2"]']:
    case(f"link {link}", '{"prompt": {"1": {"class_type": "ProbeRequired", "inputs": {"image": %s, "seed": 1}}, "2": {"class_type": "ProbeSource", "inputs": {}}}}' % link)
for name in ["small", "float", "text", "menu", "combo", "any", "either", "mixed", "lazy"]:
    for slot in [0, 1, 2, 3, 5]:
        prompt(f"{name} from slot {slot}", {"1": node("ProbeKinds", {name: ["2", slot]}), "2": node("ProbeSource")})
BAD = node("ProbeSource", {"number": -1})
OUT = lambda source: node("ProbeRequired", {"image": [source, 0], "seed": 1})
prompt("fault upstream", {"1": OUT("2"), "2": node("ProbePass", {"image": ["3", 0]}), "3": BAD})
prompt("fault upstream of two", {"1": OUT("3"), "2": OUT("3"), "3": BAD})
prompt("one of two outputs", {"1": OUT("3"), "2": node("ProbeKinds", {"float": 1}), "3": BAD})
prompt("link to nothing", {"1": OUT("2"), "2": node("ProbePass", {"image": ["9", 0]})})
prompt("link to nothing, two above", {"1": OUT("2"), "2": node("ProbePass", {"image": ["3", 0]}), "3": node("ProbePass", {"image": ["9", 0]})})
prompt("raising upstream", {"1": OUT("2"), "2": node("ProbeRaising", {"number": 1})})
prompt("raising upstream of two", {"1": OUT("2"), "3": node("ProbePass", {"image": ["2", 0]}), "4": OUT("3"), "2": node("ProbeRaising", {"number": 1})})
prompt("cycle", {"1": OUT("2"), "2": node("ProbePass", {"image": ["3", 0]}), "3": node("ProbePass", {"image": ["2", 0]})})
prompt("cycle of one", {"1": OUT("2"), "2": node("ProbePass", {"image": ["2", 0]})})
prompt("cycle and a good output", {"1": OUT("2"), "2": node("ProbePass", {"image": ["2", 0]}), "3": node("ProbeEmpty")})
prompt("unused node", {"1": node("ProbeKinds", {"float": 1}), "2": node("ProbeKinds", {"float": 2}), "3": BAD}, partial_execution_targets=["1"])
prompt("two faults", {"1": node("ProbeRequired", {"seed": -1})})
prompt("all missing", {"1": node("ProbeRequired")})
prompt("seed of 64 bits", {"1": node("ProbeRequired", {"image": ["2", 0], "seed": 18446744073709551615}), "2": node("ProbeSource")})
prompt("seed of more", {"1": node("ProbeRequired", {"image": ["2", 0], "seed": 18446744073709551616}), "2": node("ProbeSource")})

# Validators
for number in [1, 7, 8, 9, "5", "x"]:
    prompt(f"named {number}", {"1": node("ProbeNamed", {"number": number})})
prompt("named, other out of range", {"1": node("ProbeNamed", {"number": 7, "other": 4})})
prompt("named, linked", {"1": node("ProbeNamed", {"number": ["2", 1]}), "2": node("ProbeSource")})
prompt("all", {"1": node("ProbeAll", {"number": 5, "menu": "z", "own": 3, "stray": 4, "image": ["2", 0], "wire": ["2", 0]}), "2": node("ProbeSource")})
prompt("all, one missing", {"1": node("ProbeAll", {"image": [1, 2, 3]})})
for slot in [0, 1]:
    prompt(f"types, slot {slot}", {"1": node("ProbeTypes", {"image": ["2", slot]}), "2": node("ProbeSource")})
prompt("types, none", {"1": node("ProbeTypes", {"image": "x", "other": 4})})
prompt("types, other", {"1": node("ProbeTypes", {"other": ["2", 1]}), "2": node("ProbeSource")})
prompt("async, fine", {"1": node("ProbeAsync", {"text": "fine"})})
prompt("async, not fine", {"1": node("ProbeAsync", {"text": 5})})
prompt("lists", {"1": node("ProbeList", {"number": 5, "image": ["2", 0]}), "2": node("ProbeSource")})

# Fields of the request
prompt("prompt_id", {"1": node("ProbeEmpty")}, prompt_id=5.0)
prompt("prompt_id null", {"1": node("ProbeEmpty")}, prompt_id=None)
prompt("secrets", {"1": node("ProbeEmpty")}, extra_data={"auth_token_comfy_org": "s", "api_key_comfy_org": "t", "kept": 1}, client_id=7)


def post(body):
    request = urllib.request.Request(f"{BASE}/prompt", body.encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def without_traceback(value):
    if isinstance(value, list):
        return [without_traceback(each) for each in value]
    if isinstance(value, dict):
        return {key: [] if key == "traceback" else without_traceback(each) for key, each in value.items()}
    return value


def history(prompt_id):
    for _ in range(200):
        with urllib.request.urlopen(f"{BASE}/history/{urllib.request.quote(prompt_id)}") as response:
            entry = json.load(response).get(prompt_id)
        if entry:
            _, _, prompt, extra, outputs = entry["prompt"]
            extra.pop("create_time")
            return {"prompt": prompt, "extra_data": extra, "outputs": sorted(outputs)}
        time.sleep(0.05)
    # Such a prompt ends the worker's thread, and no other will end: `undeclared ["nobody", 0]` did.
    raise SystemExit(f"{prompt_id} did not end")


def record(name, body):
    status, text = post(body)
    kept = {"name": name, "body": body, "status": status}
    if status == 500:
        return kept
    answer = without_traceback(json.loads(text))
    if status != 200:
        return kept | {"answer": answer}
    chosen = {key: answer[key] for key in ("number", "prompt_id") if key in json.loads(body)}
    return kept | {"answer": {"node_errors": answer["node_errors"], **chosen}, **history(answer["prompt_id"])}


def write(name, lines, brackets):
    with open(f"{sys.argv[2]}/{name}", "w", encoding="ascii") as file:
        file.write(brackets[0] + "\n  " + ",\n  ".join(lines) + "\n" + brackets[1] + "\n")


def classes():
    with urllib.request.urlopen(f"{BASE}/object_info") as response:
        return {key: value for key, value in json.load(response).items() if key.startswith("Probe")}


write("validation.json", [json.dumps(record(name, body)) for name, body in CASES.items()], "[]")
write("object-info.json", [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in classes().items()], "{}")
