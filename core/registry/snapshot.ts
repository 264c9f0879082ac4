// SPDX-License-Identifier: Apache-2.0
import type { Digest, Kid } from '../bytes/ids.ts'
import { timestampMs } from '../bytes/timestamp.ts'
import type { PublicJwk } from '../ports/keys.ts'
import type { RegistryHead } from '../block/block.ts'
import type { InstanceRecord, InstitutionRecord, KeyRecord, RegistryRecord } from './records.ts'

/** The registry as of one head: all that the rules of a chain ask of it. */
export interface RegistryView {
  /** Id of the registry itself: that of its genesis. */
  readonly registry: Digest
  readonly head: RegistryHead
  /** The record under a key, or null when the registry has none. */
  readonly get: (key: string) => RegistryRecord | null
  /** The time that is judged, in ms since 1970: who has expired by then is not active. Without it nobody expires. */
  readonly atMs?: number
}

/** The same registry, as of a time. */
export function asOf(view: RegistryView, atMs: number): RegistryView {
  return { ...view, atMs }
}

type RecordOf<K extends RegistryRecord['kind']> = Extract<RegistryRecord, { kind: K }>

/** A record by kind and id, or null. */
export function recordOf<K extends 'institution' | 'instance' | 'deployment'>(
  view: RegistryView,
  kind: K,
  id: string,
): RecordOf<K> | null {
  const record = view.get(`${kind}/${id}`)
  return record?.kind === kind ? (record as RecordOf<K>) : null
}

/** The record of a key, or null. */
export function keyRecordOf(view: RegistryView, kid: Kid): KeyRecord | null {
  const record = view.get(`key/${kid}`)
  return record?.kind === 'key' ? record : null
}

/** True when the key is known and revoked as of this view. */
export function isRevoked(view: RegistryView, kid: Kid): boolean {
  return (keyRecordOf(view, kid)?.revoked ?? null) !== null
}

/** True when the key is that of an instance whose time is over as of this view. */
export function isExpired(view: RegistryView, kid: Kid): boolean {
  const owner = keyRecordOf(view, kid)?.owner
  if (!owner || !('instance' in owner)) return false
  const instance = recordOf(view, 'instance', owner.instance)
  return instance?.signing === kid && isOver(view, instance)
}

function isOver({ atMs }: RegistryView, { expires }: InstanceRecord): boolean {
  return atMs !== undefined && expires !== undefined && timestampMs(expires) < atMs
}

/** The active instance of an active institution that signs with `kid`, a key that is not revoked and has not expired; else null. */
export function activeInstanceOf(
  view: RegistryView,
  kid: Kid,
): {
  readonly institution: InstitutionRecord
  readonly instance: InstanceRecord
  readonly key: KeyRecord
} | null {
  const key = keyRecordOf(view, kid)
  if (!key || key.use !== 'sign' || key.revoked !== null || !('instance' in key.owner)) return null
  const instance = recordOf(view, 'instance', key.owner.instance)
  const institution = recordOf(view, 'institution', key.owner.institution)
  if (instance?.status !== 'active' || instance.signing !== kid || isOver(view, instance)) return null
  if (institution?.status !== 'active') return null
  return { institution, instance, key }
}

/** The active institution whose root key has this `kid`, unrevoked; else null. */
export function activeRootOf(view: RegistryView, kid: Kid): InstitutionRecord | null {
  const key = keyRecordOf(view, kid)
  if (key?.use !== 'root' || key.revoked !== null || !('institution' in key.owner)) return null
  const institution = recordOf(view, 'institution', key.owner.institution)
  return institution?.status === 'active' ? institution : null
}

/** The key behind `kid` if it signs heads for the deployment at `origin` and is not revoked as of this view; else null. */
export function headKeyAt(view: RegistryView, kid: Kid, origin: string): PublicJwk | null {
  const key = keyRecordOf(view, kid)
  if (!key || key.use !== 'head' || key.revoked !== null || !('deployment' in key.owner)) return null
  return recordOf(view, 'deployment', key.owner.deployment)?.origin === origin ? key.jwk : null
}
