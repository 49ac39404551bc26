#!/usr/bin/env bash
# Builds the wheels and installs them as a user would: into a new environment with the extra
# `openmmlab`, and beside the original mmcv-lite, mmengine and mmsegmentation. Needs a package index,
# a C++ compiler, 3 GB of disk for a while and a few minutes.
#   [PYTHON=python3.11] tests/smoke/wheel.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-python3}
export PIP_DISABLE_PIP_VERSION_CHECK=1

pin() { grep "^$1==" "$root/requirements.txt" | cut -d ' ' -f 1; }

fail() {
    echo "wheel.sh: $*" >&2
    exit 1
}

# a name with a blank in it, as a user's folder may have
new_environment() {
    env="$work/$1"
    "$python" -m venv "$env"
    "$env/bin/python" -m pip install -q "$(pin torch)"
}

echo '== The wheels'
new_environment 'new environment'
"$env/bin/python" -m pip install -q "$(pin setuptools)" "$(pin wheel)" "$(pin ninja)"
mkdir "$work/source tree" "$work/dist" "$work/empty"
# copied, since a build writes beside its sources
(cd "$root" && tar cf - --exclude=__pycache__ --exclude='*.egg-info' --exclude='build' \
    mmseg_remamber configs tools selective_scan LICENSE MANIFEST.in setup.py ./*.md ./*.toml \
    ./*.txt ./*.yml ./*.cff) | tar xf - -C "$work/source tree"
"$env/bin/python" -m pip wheel -q --no-deps --no-build-isolation -w "$work/dist" \
    "$work/source tree" "$work/source tree/selective_scan"
op=$(echo "$work"/dist/selective_scan_op-*.whl)
package=$(echo "$work"/dist/mmseg_remamber-*.whl)
ls "$work/dist"

echo '== A new environment, with the extra openmmlab, in an empty folder'
"$env/bin/python" -m pip install -q -c "$root/requirements.txt" "$op" "${package}[openmmlab]"
cd "$work/empty"
"$env/bin/python" -m mmseg_remamber --help >/dev/null
"$env/bin/python" "$root/tests/smoke/make_model.py" "$work/model" >/dev/null
read -r model <"$work/model/name.txt"
"$env/bin/python" -m mmseg_remamber "$work/model/picture.png" 'the red circle on the left' \
    --model "$model" --checkpoint "$work/model/weights.pth" --out out --no-progress
[ -s out/vis/picture.png ] && [ -s out/results.json ] || fail 'no pictures were written'
rm -rf "$env"

echo '== Beside the originals'
new_environment originals
# mmcv-lite's setup.py imports pkg_resources, which newer setuptools have not
"$env/bin/python" -m pip install -q 'setuptools<81' "$(pin wheel)"
"$env/bin/python" -m pip install -q --no-build-isolation \
    mmcv-lite==2.1.0 mmengine==0.10.7 mmsegmentation==1.2.2
site=$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
hashes() {
    (cd "$site" && find mmcv mmengine mmseg mmcv_lite-* mmengine-* mmsegmentation-* \
        -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum)
}
hashes >"$work/before"
"$env/bin/python" -m pip install -q -c "$root/requirements.txt" "$op" "$package"
"$env/bin/python" -c 'import mmseg_remamber.vmamba'
if "$env/bin/python" -m mmseg_remamber "$work/model/picture.png" 'the red circle' --model "$model" \
    --checkpoint "$work/model/weights.pth" --out out2 2>"$work/message"; then
    fail 'it works with the originals, which was thought impossible: see mmseg_remamber/openmmlab.py'
fi
cat "$work/message"
grep -q "pip install 'mmseg_remamber\[openmmlab\]'" "$work/message" || fail 'no word on what to do'
! grep -q Traceback "$work/message" || fail 'a traceback instead of a message'
hashes >"$work/after"
cmp "$work/before" "$work/after" || fail 'files of the originals have changed'
echo "== $(wc -l <"$work/after") files of mmcv-lite, mmengine and mmsegmentation are as they were"
