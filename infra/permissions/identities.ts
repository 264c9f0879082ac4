// SPDX-License-Identifier: Apache-2.0
import type { Needs, TableName } from '#core/ports/needs.ts'
import { ERASER_NEEDS } from '#core/server/erase.ts'
import { role as bridge } from '#functions/bridge/role.ts'
import { role as checker } from '#functions/checker/role.ts'
import { HOME_ROLES } from '#functions/all.ts'
import { role as mirror } from '#functions/mirror/role.ts'

/** Whom a provider lets in: one role of one deployment, and nobody else. */
export interface Identity {
  readonly name: string
  /** Its role's needs, and of every other act that its app carries out in the same process. */
  readonly parts: readonly Needs[]
  /** The table whose changes wake it. */
  readonly wokenBy: TableName | null
}

/** What a deployment is: a home, one institution's bridge, or both in one account. */
export type Deploys = 'home' | 'bridge' | 'both'

/** What roles of a home do beside their needs, as functions/all.ts puts them together. */
const ALSO: Readonly<Record<string, readonly Needs[]>> = {
  // It carries out what an erase block orders before it answers.
  writer: [ERASER_NEEDS],
  // Its chores begin with erasures that a crash left half done.
  sweeper: [ERASER_NEEDS],
}
const WOKEN_BY: Readonly<Record<string, TableName>> = { sequencer: 'dirty' }

const HOME: readonly Identity[] = HOME_ROLES.map(identityOf)
const BRIDGE: readonly Identity[] = [bridge, checker, mirror].map(identityOf)

/** The identities of a deployment, in the order of its roles. */
export function identitiesOf(deploys: Deploys): readonly Identity[] {
  if (deploys === 'home') return HOME
  return deploys === 'bridge' ? BRIDGE : [...HOME, ...BRIDGE]
}

function identityOf({ name, needs }: { readonly name: string; readonly needs: Needs }): Identity {
  return { name, parts: [needs, ...(ALSO[name] ?? [])], wokenBy: WOKEN_BY[name] ?? null }
}
