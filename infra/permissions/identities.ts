// SPDX-License-Identifier: Apache-2.0
import type { Needs, TableName } from '#core/ports/needs.ts'
import { JOBS_ERASE } from '#core/server/store/jobs.ts'
import { role as bridge } from '#functions/bridge/role.ts'
import { role as checker } from '#functions/checker/role.ts'
import { role as mirror } from '#functions/mirror/role.ts'
import { HOME_ROLES } from '#functions/roles.ts'

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
