// SPDX-License-Identifier: Apache-2.0
import type { KeyAccess, Needs, TableName } from '#core/ports/needs.ts'
import type { ObjectAccess } from '#core/ports/objects.ts'
import type { TableAccess } from '#core/ports/table.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { JOBS_ERASE } from '#core/server/store/jobs.ts'
import { role as bridge } from '#functions/bridge/role.ts'
import { role as checker } from '#functions/checker/role.ts'
import { role as mirror } from '#functions/mirror/role.ts'
import { role as reader } from '#functions/reader/role.ts'
import { HOME_ROLES } from '#functions/roles.ts'
import { role as sequencer } from '#functions/sequencer/role.ts'
import { role as writer } from '#functions/writer/role.ts'

/** Whom a provider lets in: one role of one deployment, and nobody else. */
export interface Identity {
  readonly name: string
  readonly needs: Needs
  /** What wakes it beside a schedule. */
  readonly wokenBy: Waking | null
}

/** A table whose new rows wake a role: those of one partition, or all. */
export interface Waking {
  readonly table: TableName
  readonly partition: string | null
}

/** What a deployment is: a home, one institution's bridge, or both in one account. */
export type Deploys = 'home' | 'bridge' | 'both'

const WOKEN_BY: Readonly<Record<string, Waking>> = {
  sequencer: { table: 'dirty', partition: null },
  eraser: { table: 'jobs', partition: JOBS_ERASE },
}

// A mirror copies into the stores that the keeper of its deployment answers from.
const HOME: readonly Identity[] = [...HOME_ROLES, mirror].map(identityOf)
const BRIDGE: readonly Identity[] = [bridge, checker].map(identityOf)

/** The identities of a deployment, in the order of its roles. */
export function identitiesOf(deploys: Deploys): readonly Identity[] {
  if (deploys === 'home') return HOME
  return deploys === 'bridge' ? BRIDGE : [...HOME, ...BRIDGE]
}

function identityOf({ name, needs }: { readonly name: string; readonly needs: Needs }): Identity {
  return { name, needs, wokenBy: WOKEN_BY[name] ?? null }
}

/** From the least to the most; an access has all that is before it. */
const ACCESS: readonly (TableAccess | ObjectAccess | KeyAccess)[] = [
  ...(['read', 'append', 'write'] satisfies TableAccess[]),
  ...(['fetch', 'store', 'shred'] satisfies ObjectAccess[]),
  ...(['sign', 'unwrap'] satisfies KeyAccess[]),
]

/** What whoever migrates does with a home: fill one that nothing serves yet, or empty one that nothing serves any more. */
export type Moves = 'receives' | 'leaves'

const MOVERS: Readonly<Record<Moves, Identity>> = {
  receives: identityOf({ name: 'receiver', needs: together([RESTORE_NEEDS, sequencer.needs]) }),
  // It is read, takes the rehome of each chain and what moves the registry, and logs both.
  leaves: identityOf({
    name: 'leaver',
    needs: together([BACKUP_NEEDS, reader.needs, writer.needs, REGISTRAR_NEEDS, sequencer.needs]),
  }),
}

/** Who backs a home up: it reads what a backup has, and holds no key. Such an identity is always there, and no function has it. */
export const BACKUP: Identity = identityOf({ name: 'backup', needs: BACKUP_NEEDS })

/** Who migrates a home. There is such an identity only while a home moves, and never one that a function has. */
export function moverOf(moves: Moves): Identity {
  return MOVERS[moves]
}

/** What several roles need, as one that does what they do. */
function together(all: readonly Needs[]): Needs {
  const most = (kind: 'tables' | 'objects' | 'keys') => {
    const merged: Record<string, string> = {}
    for (const [name, access] of all.flatMap((needs) => Object.entries(needs[kind])))
      if (rank(access) >= rank(merged[name])) merged[name] = access
    return merged
  }
  return { tables: most('tables'), objects: most('objects'), keys: most('keys') }
}

function rank(access: string | undefined): number {
  return ACCESS.findIndex((each) => each === access)
}
