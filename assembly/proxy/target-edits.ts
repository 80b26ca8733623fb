/** Path and query edits of plugins, applied to the settled upstream target. */
import { findByte, put } from '../bytes';
import { EDIT_OP_SET_PATH, EDIT_OP_SET_QUERY } from '../layout';
import { allocate, release } from '../memory';
import { editValue, lastEdit } from './edits';
import { Exchange } from './exchange';

/** Rewrites the exchange's upstream target where a plugin set its path or query. */
export function applyTargetEdits(x: Exchange): void {
  const path = lastEdit(EDIT_OP_SET_PATH);
  const query = lastEdit(EDIT_OP_SET_QUERY);
  if (!path && !query) return;
  const old = <usize>x.upstreamTarget;
  const oldEnd = old + x.targetBytes;
  const mark = findByte(old, oldEnd, 0x3f);
  let room = <usize>x.targetBytes + x.hostBytes + 1;
  if (path) room += path.valueLength;
  if (query) room += query.valueLength;
  const slot = allocate(room);
  if (!slot) return;
  let d = slot;
  if (path) d = put(d, editValue(path), path.valueLength);
  else d = put(d, old, mark - old);
  if (query) {
    if (query.valueLength) {
      d = put(d, QUESTION_MARK, 1);
      d = put(d, editValue(query), query.valueLength);
    }
  } else d = put(d, mark, oldEnd - mark);
  const targetBytes = <u32>(d - slot);
  put(d, oldEnd, x.hostBytes);
  release(old);
  x.upstreamTarget = <u32>slot;
  x.targetBytes = targetBytes;
}

const QUESTION_MARK: usize = memory.data<u8>([0x3f]);
