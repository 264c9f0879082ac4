// SPDX-License-Identifier: Apache-2.0
import {
  signingAlgorithm,
  type KeyAccess,
  type KeyName,
  type ObjectsName,
  type TableName,
} from '#core/ports/needs.ts'
import type { SignatureAlgorithm } from '#core/ports/keys.ts'
import type { ObjectAccess } from '#core/ports/objects.ts'
import type { TableAccess } from '#core/ports/table.ts'
import type { Identity } from './identities.ts'

/** One permission of an identity, whoever provides it. */
export type Grant =
  | { readonly kind: 'table'; readonly name: TableName; readonly access: TableAccess }
  | { readonly kind: 'objects'; readonly name: ObjectsName; readonly access: ObjectAccess }
  | { readonly kind: 'key'; readonly name: KeyName; readonly access: KeyAccess }
  /** Signs with what it may do itself, so that others store into that store. */
  | { readonly kind: 'signs'; readonly name: ObjectsName }
  /** Reads what changed in a table, and so is woken. */
  | { readonly kind: 'changes'; readonly name: TableName }

const KINDS: readonly Grant['kind'][] = ['table', 'objects', 'key', 'signs', 'changes']

/**
 * Where a key is: the provider's key service signs with it, its seed lies wrapped in a store (`software`), or
 * the service unwraps what the caller brings (`unwraps`).
 */
export type Custody = 'service' | 'software' | 'unwraps'

/** It signs every append and every head that is read: a request to a key service for each would cost half as much again. */
const ALWAYS_SOFTWARE: KeyName = 'head'

/**
 * Who signs an upload signs it with what it may do itself (both providers), so it may store into `uploads`; what its needs say of that
 * store may be more, as every access is that stores.
 */
const OFFERS: ObjectAccess = 'store'

/** @param native what the provider's key service signs with, in this deployment */
export function custodyOf(name: KeyName, access: KeyAccess, native: readonly SignatureAlgorithm[]): Custody {
  if (access === 'unwrap') return 'unwraps'
  return name !== ALWAYS_SOFTWARE && native.includes(signingAlgorithm(name)) ? 'service' : 'software'
}

/** What an identity may do: a grant for each of its needs; sorted, and so the same each time. */
export function grantsOf({ needs, wokenBy }: Pick<Identity, 'needs' | 'wokenBy'>): readonly Grant[] {
  const grants = [
    ...each('table', needs.tables),
    ...each('objects', needs.uploads === 'offer' ? { uploads: OFFERS, ...needs.objects } : needs.objects),
    ...each('key', needs.keys),
    ...(needs.uploads === 'offer' ? [{ kind: 'signs', name: 'uploads' } as const] : []),
    ...(wokenBy === null ? [] : [{ kind: 'changes', name: wokenBy.table } as const]),
  ]
  return grants.toSorted(byKindAndName)
}

/** The grants of one kind, typed as such. */
export function grantsOfKind<K extends Grant['kind']>(
  grants: readonly Grant[],
  kind: K,
): readonly Extract<Grant, { kind: K }>[] {
  return grants.filter((grant): grant is Extract<Grant, { kind: K }> => grant.kind === kind)
}

function each(kind: 'table' | 'objects' | 'key', needed: object): readonly Grant[] {
  return Object.entries(needed).map(([name, access]) => ({ kind, name, access }) as Grant)
}

/** Names are ASCII, so that no locale orders them. */
function byKindAndName(a: Grant, b: Grant): number {
  if (a.kind !== b.kind) return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind)
  return a.name < b.name ? -1 : 1
}
