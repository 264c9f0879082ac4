// SPDX-License-Identifier: Apache-2.0
import { NOTHING, type Group, type GroupCheck, type MemberCheck, type Outcome, type Placed } from '../rule.ts'
import type { Situation } from '../situation.ts'

/** A value in a group, with what came of judging it. */
export interface Slot extends Placed<unknown> {
  readonly state: GroupState
  readonly isAnchor: boolean
  readonly key: string
  /** Which of a resource's parts it is. */
  readonly sequence: number
  outcome: Outcome
}

/** One group of one check. */
export interface GroupState extends Group<unknown> {
  readonly check: GroupCheck<unknown> | MemberCheck<unknown>
  readonly key: string
  members: Slot[]
  anchors: Slot[]
  /** Members that wait to be put in order. */
  pending: Slot[]
  /** Members to judge again; `all` when nothing less will do, null for none. */
  dirty: Set<Slot> | 'all' | null
  /** Of a check that judges the group as a whole. */
  outcome: Outcome
  hadAnchors: boolean
}

/** Takes away one outcome and adds another, wherever outcomes are counted. */
export type Swap = (before: Outcome, after: Outcome) => void

/** More news than this are sorted in at once instead of one by one. */
const ONE_BY_ONE = 8

/** Shared by groups in which nothing stands; most groups hold one value, and need no list of their own but that. */
const NONE: Slot[] = []

export function emptyGroup(check: GroupState['check'], key: string): GroupState {
  return {
    check,
    key,
    members: NONE,
    anchors: NONE,
    pending: NONE,
    dirty: null,
    outcome: NOTHING,
    hadAnchors: false,
  }
}

export function addSlot(slot: Slot): void {
  const { state } = slot
  if (slot.isAnchor) {
    if (state.anchors.length === 0) state.anchors = [slot]
    else state.anchors.splice(indexOf(state.anchors, slot), 0, slot)
    touchAnchors(state)
  } else if (state.members.length === 0 && state.pending.length === 0) {
    state.members = [slot]
    state.dirty = 'all'
  } else if (state.pending.length === 0) state.pending = [slot]
  else state.pending.push(slot)
}

/** Takes a slot out; its outcome must have been taken away before. */
export function removeSlot(slot: Slot): void {
  const { state } = slot
  const waiting = state.pending.indexOf(slot)
  if (waiting >= 0) {
    state.pending.splice(waiting, 1)
    return
  }
  const list = slot.isAnchor ? state.anchors : state.members
  const index = indexOf(list, slot)
  list.splice(index, 1)
  if (slot.isAnchor) touchAnchors(state)
  else {
    if (state.dirty !== 'all') state.dirty?.delete(slot)
    touchAround(state, index, index - 1)
  }
}

/** Judges what is dirty. */
export function settleGroup(state: GroupState, situation: Situation, swap: Swap): void {
  insertPending(state)
  const { check, members } = state
  if (check.scope === 'group') {
    if (state.dirty !== 'all') return
    state.dirty = null
    const after = isEmpty(state) ? NOTHING : check.judge(state, situation)
    swap(state.outcome, after)
    state.outcome = after
    return
  }
  const hasAnchors = state.anchors.length > 0
  if (check.anchors === 'presence' && hasAnchors !== state.hadAnchors) state.dirty = 'all'
  state.hadAnchors = hasAnchors
  const { dirty } = state
  state.dirty = null
  if (dirty === 'all')
    for (let index = 0; index < members.length; index++) judgeMember(state, check, index, situation, swap)
  else for (const slot of dirty ?? []) judgeMember(state, check, indexOf(members, slot), situation, swap)
}

export function isEmpty(state: GroupState): boolean {
  return state.members.length === 0 && state.anchors.length === 0 && state.pending.length === 0
}

function judgeMember(
  state: GroupState,
  check: MemberCheck<unknown>,
  index: number,
  situation: Situation,
  swap: Swap,
): void {
  const slot = state.members[index]
  if (!slot) return
  const after = check.judge(state, index, situation)
  swap(slot.outcome, after)
  slot.outcome = after
}

function insertPending(state: GroupState): void {
  const { pending, members } = state
  if (pending.length === 0) return
  if (pending.length > ONE_BY_ONE) {
    members.push(...pending)
    members.sort(compareSlots)
    state.dirty = 'all'
  } else {
    for (const slot of pending) {
      const index = indexOf(members, slot)
      members.splice(index, 0, slot)
      touchAround(state, index, index)
    }
  }
  state.pending = NONE
}

/** Marks what may be judged otherwise after a change between two indexes. */
function touchAround(state: GroupState, from: number, to: number): void {
  if (state.dirty === 'all') return
  if (state.check.scope === 'group') {
    state.dirty = 'all'
    return
  }
  const { reach } = state.check
  const dirty = state.dirty ?? new Set()
  state.dirty = dirty
  for (let i = Math.max(0, from - reach); i <= Math.min(state.members.length - 1, to + reach); i++) {
    const slot = state.members[i]
    if (slot) dirty.add(slot)
  }
}

function touchAnchors(state: GroupState): void {
  if (state.check.scope === 'group' || state.check.anchors === 'content') state.dirty = 'all'
}

/** Where a slot is, or belongs, in an ordered list. */
function indexOf(list: readonly Slot[], slot: Slot): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const other = list[middle]
    if (other && compareSlots(other, slot) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function compareSlots(a: Slot, b: Slot): number {
  if (a.run !== b.run) return a.run < b.run ? -1 : 1
  if (a.at !== b.at) return a.at < b.at ? -1 : 1
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  return a.sequence - b.sequence
}
