#!/usr/bin/env bash
# Writes fixtures/statements/vN with a build of the program: a bundle's signature, the statement in it, the public half of
# the key, and whom to trust. The private half is thrown away: such a fixture is written once for a format number.
#
#   scripts/statement-fixture.sh PROGRAM FOLDER
set -euo pipefail
program=$(realpath "$1") folder=$2
bundle=$(realpath "$(dirname "$0")/../fixtures/evidence/v2/scored-elsewhere")
[ ! -e "$folder" ] || { echo "$folder is there already: it is never written again" >&2; exit 1; }
mkdir -p "$folder/signatures"
folder=$(realpath "$folder")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Signed as it lies there, outside a study.
cp -r "$bundle" "$scratch/run-1"
cd "$scratch"
export SOURCE_DATE_EPOCH=1735689600
"$program" keys new --out key.pem --no-passphrase --quiet
"$program" sign run-1 --key key.pem --by "A. Example" --role engineer --meaning approval --signatures "$folder/signatures" --quiet
cp key.pem.pub "$folder/key.pub"
python3 - "$folder" <<'EOF'
import base64, json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
(envelope,) = (folder / "signatures").glob("*.json")
(folder / "statement.json").write_bytes(base64.b64decode(json.loads(envelope.read_bytes())["payload"]))
EOF
cat > "$folder/trust.toml" <<'EOF'
format = "sequester-trust/1"

[[signer]]
name = "A. Example"
roles = ["engineer"]
key_files = ["key.pub"]

[[required]]
kind = "verified"
by = "A. Example"
meaning = "approval"
EOF
