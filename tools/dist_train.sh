#!/usr/bin/env bash
# Train on several processes of one or more nodes:
#   [NNODES=2 NODE_RANK=0 MASTER_ADDR=host PORT=29500] tools/dist_train.sh CONFIG PROCESSES [train.py options]
set -euo pipefail
config=$1
processes=$2
exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    --nproc_per_node="$processes" \
    "$(dirname "$0")/train.py" "$config" --launcher pytorch "${@:3}"
