// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../bytes/canonical-json.ts'
import type { ChainId, CompartmentId, Digest, InstitutionId, Kid } from '../bytes/ids.ts'
import type { Timestamp } from '../bytes/timestamp.ts'
import type { Controller, Controllers, Grant, Home } from '../block/block.ts'
import type { OpenedBlock } from '../block/open-block.ts'
import { digestOf } from '../crypto/hash.ts'

/** A step that waits: it takes effect only by a completing block, and can be cancelled until then. */
export type Pending = PendingErasure | PendingRecovery

export interface PendingErasure {
  readonly kind: 'erase'
  /** Height of the block that asked for it. */
  readonly height: number
  /** SHA-256 of the canonical `{ground, scope, targets}` of the request. */
  readonly action: Digest
  readonly notBefore: Timestamp
}

export interface PendingRecovery {
  readonly kind: 'recover'
  /** Height of the block that asked for it. */
  readonly height: number
  /** SHA-256 of the canonical `{controllers, recovery}` of the request. */
  readonly action: Digest
  readonly notBefore: Timestamp
  /** Somebody who may identify vouched for it: then those whom it removes cannot cancel it. */
  readonly identified: boolean
  /** The controllers whom it removes, by name, sorted, where somebody vouched for it; empty where nobody did. They change nothing while it waits. */
  readonly frozen: readonly string[]
}

/**
 * All that a later rule needs to know of a chain, whatever its height: bounded, canonical, stored under its
 * own SHA-256. Each block names the state after it, so a server judges the next block from the head alone.
 */
export interface ControlState {
  readonly v: 1
  readonly purpose: 'record' | 'access'
  /** On an access chain, the record chain whose reads it lists. */
  readonly of: ChainId | null
  /** Raised by each control, erase and rehome block; approvals name it, so each counts once. */
  readonly seq: number
  /** Whose log has the receipts of blocks, from the genesis or the rehome that named it on. */
  readonly home: Home
  readonly controllers: Controllers
  /** Who may replace the controllers after a delay; null where nobody may. */
  readonly recovery: Controllers | null
  /** Sorted by institution. */
  readonly grants: readonly Grant[]
  /** The full set, sorted by id; `key` is the SHA-256 of the epoch's public key, which its block carries. */
  readonly compartments: readonly { readonly id: CompartmentId; readonly key: Digest }[]
  /** Number of the epoch, from 1, and height of the block that carries its public keys. */
  readonly epoch: { readonly number: number; readonly height: number }
  readonly labelKeyHash: Digest
  /** On a record chain, its access chain once named. */
  readonly access: ChainId | null
  readonly hold: boolean
  readonly pending: readonly Pending[]
  /** True after a record erase: nothing may follow. */
  readonly ended: boolean
}

/** A block that took its place, with the state after it: all that is needed to judge the next one. */
export interface Link {
  readonly opened: OpenedBlock
  readonly state: ControlState
}

/** Bytes a canonical control state may take. Part of the format. */
export const MAX_STATE_BYTES = 64 * 1024

/** The canonical bytes of a state. */
export function stateBytes(state: ControlState): Uint8Array<ArrayBuffer> {
  return canonicalBytes(state)
}

/** What a block's `state` field holds: SHA-256 of the canonical state. */
export function stateHash(state: ControlState): Digest {
  return formOf(state).hash
}

/** Length of the canonical state, which `MAX_STATE_BYTES` limits. */
export function stateSize(state: ControlState): number {
  return formOf(state).size
}

/** Of states that were seen: they are readonly, and every record block names its parent's again. */
const FORMS = new WeakMap<ControlState, { readonly hash: Digest; readonly size: number }>()

function formOf(state: ControlState) {
  const known = FORMS.get(state)
  if (known) return known
  const bytes = stateBytes(state)
  const form = { hash: digestOf(bytes), size: bytes.length }
  FORMS.set(state, form)
  return form
}

/** What a controller is called: its institution, or the id of its key. */
export function memberName(member: Controller): InstitutionId | Kid {
  return member.kind === 'device' ? member.kid : member.institution
}

/** The devices of a list of controllers. */
export function devicesOf(
  controllers: Controllers | null,
): readonly Extract<Controller, { kind: 'device' }>[] {
  return controllers?.members.filter((member) => member.kind === 'device') ?? []
}

/** The grant of an institution, or null. */
export function grantOf(state: ControlState, institution: InstitutionId): Grant | null {
  return state.grants.find((grant) => grant.institution === institution) ?? null
}

/**
 * Who holds an epoch package: institutions with the right to read (also controllers), devices, and keys for recovery, which open
 * what the new controllers must be given. An institution that only helps to recover reads nothing by that.
 */
export function readersOf(state: ControlState): readonly string[] {
  const granted = state.grants
    .filter((grant) => grant.rights.includes('read'))
    .map((grant) => grant.institution)
  const controllers = state.controllers.members.map(memberName)
  const keys = devicesOf(state.recovery).map(({ kid }) => kid)
  return [...new Set<string>([...granted, ...controllers, ...keys])].toSorted()
}

/** Readers of `after` that may open something which they might not before; with the states turned round, those who lose something. */
export function readersGaining(before: ControlState, after: ControlState): readonly string[] {
  return readersOf(after).filter((reader) => {
    const had = new Set<string>(readableBy(before, reader))
    return readableBy(after, reader).some((id) => !had.has(id))
  })
}

/**
 * Institutions whose mirrors hold a copy of the chain: those with the right to hold, also when their grant's `until` has
 * passed. Holding gives no package, so that a mirror opens nothing.
 */
export function mirrorsOf(state: ControlState): readonly InstitutionId[] {
  return state.grants
    .filter((grant) => grant.rights.includes('hold'))
    .map((grant) => grant.institution)
    .toSorted()
}

/** The compartments that a reader may open: those of a controller and of a key for recovery are all. */
export function readableBy(state: ControlState, reader: string): readonly CompartmentId[] {
  const controls = state.controllers.members.some((member) => memberName(member) === reader)
  const recovers = devicesOf(state.recovery).some(({ kid }) => kid === reader)
  if (controls || recovers) return state.compartments.map((compartment) => compartment.id)
  const grant = state.grants.find((candidate) => candidate.institution === reader)
  return grant?.rights.includes('read') === true ? grant.compartments : []
}
