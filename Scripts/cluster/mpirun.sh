#!/usr/bin/env bash
# Encodes a folder, or tars, with N processes under Open MPI, each with its share, and checks that
# nothing is missing.
#
#   Scripts/cluster/mpirun.sh N OUTPUT INPUT… [-- OPTIONS OF lvae encode]
#   Scripts/cluster/mpirun.sh 4 latents photos -- --model sdxl --storage int8
#   HOSTS=node1:8,node2:8 Scripts/cluster/mpirun.sh 16 /shared/latents /shared/photos
#
# Each process takes shard RANK of N, by OMPI_COMM_WORLD_RANK and _SIZE. If some of them die, run the
# same command again: what is done is skipped. With CLAIM=1 the processes claim parts instead, so that
# the others take over what a dead one left. `lvae` is taken from $LVAE, or from the PATH.
# Exit status: that of `lvae merge`: 0 if every input has its output.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2; }
count=$1 output=$2
shift 2
inputs=() options=()
while [ $# -gt 0 ]; do
  if [ "$1" = -- ]; then shift; options=("$@"); break; fi
  inputs+=("$1")
  shift
done
lvae=${LVAE:-lvae}
mpi=(mpirun -n "$count" --bind-to none)
[ -z "${HOSTS:-}" ] || mpi+=(--host "$HOSTS")
[ -n "${HOSTS:-}" ] || mpi+=(--oversubscribe)
[ "$(id -u)" != 0 ] || mpi+=(--allow-run-as-root)
threads=${THREADS:-$(( ($(nproc) + count - 1) / count ))}
[ -z "${CLAIM:-}" ] || options+=(--claim)
# A rank that dies, or has a bad picture, is no reason to end the others: the merge tells of it.
"${mpi[@]}" bash -c '"$@" || true' encode "$lvae" encode "${inputs[@]}" -o "$output" \
  --threads "$threads" "${options[@]}" || echo "mpirun ended with status $?" >&2
exec "$lvae" merge "$output" --inputs "${inputs[@]}"
