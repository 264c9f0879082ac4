// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId, Kid } from '../../bytes/ids.ts'
import { AmpereError } from '../../errors.ts'
import type { KeyRecord } from '../../registry/records.ts'
import { recordsIn, type RegistryState } from '../../registry/state.ts'

/** Whose doing an incident is about. */
export type Suspect =
  | { readonly kind: 'kid'; readonly id: string }
  | { readonly kind: 'instance'; readonly id: string }
  | { readonly kind: 'institution'; readonly id: string }

/** A key of a suspect, as the newest registry has it. */
export interface SuspectKey {
  readonly kid: Kid
  /** Null for a patient's device, which chains list and the registry does not. */
  readonly instance: string | null
  readonly institution: InstitutionId | null
  readonly revoked: KeyRecord['revoked']
}

/** The keys that signed for a suspect, and the names under which it read. */
export interface Subject {
  readonly suspect: Suspect
  readonly keys: readonly SuspectKey[]
  /** Institutions, or the id of a device's key: whoever has the key of an app instance asks as its institution. */
  readonly readers: readonly string[]
}

/**
 * Finds the keys of a suspect, those that were revoked long ago too: a key belongs to one owner for ever. A key that the
 * registry does not have is taken for that of a device.
 * @throws AmpereError NOT_FOUND for an app instance or institution that the registry never had
 */
export function subjectOf(state: RegistryState, suspect: Suspect): Subject {
  const keys = [...recordsIn(state)]
    .flatMap((record) => (record.kind === 'key' && record.use === 'sign' ? [suspectKey(record)] : []))
    .filter((key) => isOf(key, suspect))
    .toSorted((a, b) => (a.kid < b.kid ? -1 : 1))
  if (keys.length === 0 && suspect.kind === 'kid') {
    const device = { kid: suspect.id as Kid, instance: null, institution: null, revoked: null }
    return { suspect, keys: [device], readers: [suspect.id] }
  }
  if (keys.length === 0) throw new AmpereError('NOT_FOUND', `the registry has no key of this ${suspect.kind}`)
  const readers = [...new Set(keys.flatMap(({ institution }) => (institution ? [institution] : [])))]
  return { suspect, keys, readers: readers.toSorted() }
}

function isOf(key: SuspectKey, { kind, id }: Suspect): boolean {
  return (
    { kid: key.kid as string, instance: key.instance, institution: key.institution as string }[kind] === id
  )
}

function suspectKey({ kid, owner, revoked }: KeyRecord): SuspectKey {
  const instance = 'instance' in owner ? owner.instance : null
  const institution = 'institution' in owner ? owner.institution : null
  return { kid, instance, institution, revoked }
}
