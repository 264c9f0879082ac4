// SPDX-License-Identifier: Apache-2.0
import {
  signingAlgorithm,
  type KeyAccess,
  type KeyName,
  type Needs,
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
  /** Reads what changed in a table, and so is woken. */
  | { readonly kind: 'changes'; readonly name: TableName }

/** Each access includes those before it. */
const TABLE_ACCESS: readonly TableAccess[] = ['read', 'append', 'write']
const OBJECT_ACCESS: readonly ObjectAccess[] = ['fetch', 'store', 'shred']
const KINDS: readonly Grant['kind'][] = ['table', 'objects', 'key', 'changes']

/**
 * Where a key is: the provider's key service signs with it, its seed lies wrapped in a store (`software`), or
 * the service unwraps what the caller brings (`unwraps`).
 */
export type Custody = 'service' | 'software' | 'unwraps'

/** It signs every append and every head that is read: a request to a key service for each would cost half as much again. */
const ALWAYS_SOFTWARE: KeyName = 'head'

/** @param native what the provider's key service signs with, in this deployment */
export function custodyOf(name: KeyName, access: KeyAccess, native: readonly SignatureAlgorithm[]): Custody {
  if (access === 'unwrap') return 'unwraps'
  return name !== ALWAYS_SOFTWARE && native.includes(signingAlgorithm(name)) ? 'service' : 'software'
}

/** What an identity may do: of each thing the widest access that one of its needs names; sorted, and the same each time. */
export function grantsOf({ parts, wokenBy }: Pick<Identity, 'parts' | 'wokenBy'>): readonly Grant[] {
  const grants: Grant[] = [
    ...widest(parts, 'tables', TABLE_ACCESS).map(
      ([name, access]) => ({ kind: 'table', name, access }) as Grant,
    ),
    ...widest(parts, 'objects', OBJECT_ACCESS).map(
      ([name, access]) => ({ kind: 'objects', name, access }) as Grant,
    ),
    ...parts.flatMap(keyGrants),
    ...(wokenBy === null ? [] : [{ kind: 'changes', name: wokenBy } as const]),
  ]
  const unique = new Map(grants.map((grant) => [labelOf(grant), grant]))
  return [...unique.values()].toSorted(byKindAndName)
}

/** The grants of one kind, typed as such. */
export function grantsOfKind<K extends Grant['kind']>(
  grants: readonly Grant[],
  kind: K,
): readonly Extract<Grant, { kind: K }>[] {
  return grants.filter((grant): grant is Extract<Grant, { kind: K }> => grant.kind === kind)
}

function widest(
  parts: readonly Needs[],
  of: 'tables' | 'objects',
  order: readonly string[],
): readonly (readonly [string, string])[] {
  const found = new Map<string, string>()
  for (const [name, access] of parts.flatMap((needs) => Object.entries(needs[of]))) {
    const before = found.get(name)
    if (before === undefined || order.indexOf(access) > order.indexOf(before)) found.set(name, access)
  }
  return [...found]
}

function keyGrants({ keys }: Needs): readonly Grant[] {
  return Object.entries(keys).map(
    ([name, access]) => ({ kind: 'key', name, access }) as Extract<Grant, { kind: 'key' }>,
  )
}

function labelOf(grant: Grant): string {
  return `${grant.kind} ${grant.name} ${'access' in grant ? grant.access : ''}`
}

/** Names are ASCII, so that no locale orders them. */
function byKindAndName(a: Grant, b: Grant): number {
  if (a.kind !== b.kind) return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind)
  const [first, second] = [labelOf(a), labelOf(b)]
  return first < second ? -1 : first > second ? 1 : 0
}
