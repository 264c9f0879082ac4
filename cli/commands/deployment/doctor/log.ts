// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDataFileDamaged } from '#adapters/local/errors.ts'
import { openLocal } from '#adapters/local/open.ts'
import { isAmpereError } from '#core/errors.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { readPolicy } from '../../../open/policy.ts'
import { HOME_DAMAGED } from '../../../program/damaged.ts'
import type { Settings } from '../../../deployment/settings.ts'
import { counted, listed, plain } from '../../../terminal/words.ts'
import { glanceAt } from '../../../witness/look/glance.ts'
import { lookAtWitnesses } from '../../../witness/look/look.ts'
import { storedLog } from '../../../witness/look/looked-at.ts'
import type { StoredLog } from '../../../witness/look/stored-log.ts'
import { note, ok, wrong, type Check } from './check.ts'
import { mayWrite } from './machine.ts'

const MANUAL = 'docs/OPERATIONS.md, "The log"'

/** Whether the log can be written and is, and what its witnesses show of it. Opens no key, and takes nothing over. */
export async function checkLog(
  folder: string,
  settings: Settings,
  isRunning: boolean,
): Promise<readonly Check[]> {
  const home = join(folder, 'home')
  // Another check says so.
  if (!existsSync(join(home, 'ampere.db')) || !mayWrite(home)) return []
  try {
    const platform = openLocal({ folder: home, passphrase: null, beside: true, readOnly: true })
    try {
      const policy = policyOf(folder, settings)
      const stored = { folder, settings, platform, isRunning }
      return [
        ...(await checkSequencing(stored, policy)),
        ...(policy ? await checkWitnesses(stored, policy) : []),
      ]
    } finally {
      await platform.close()
    }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    const next = isDataFileDamaged(error) ? HOME_DAMAGED : `npx ampere audit; ${MANUAL}`
    return [wrong('Log', error.message, next)]
  }
}

/** Null also where the file is wrong, which the policy's own check says. */
function policyOf(folder: string, settings: Settings): Policy | null {
  try {
    return readPolicy(folder, settings.origin)
  } catch {
    return null
  }
}

async function checkSequencing(stored: StoredLog, policy: Policy | null): Promise<readonly Check[]> {
  const seen = await glanceAt(stored, policy)
  if (!seen) return []
  const { trouble, size, overdue } = seen
  if (trouble !== null)
    return [
      wrong(
        'Log',
        `it cannot go on: ${trouble}; blocks are acknowledged and not logged`,
        `stop the server, delete nothing, npx ampere audit says more; ${MANUAL}`,
      ),
    ]
  if (overdue === 0) return [ok('Log', counted(size, 'leaf', 'leaves'))]
  const waiting = `${counted(overdue, 'chain')} with a block that should have been logged minutes ago`
  return [
    stored.isRunning
      ? wrong('Log', waiting, `npx ampere audit names them; ${MANUAL}`)
      : wrong('Log', waiting, 'npx ampere start, which logs them, or says why not'),
  ]
}

async function checkWitnesses(stored: StoredLog, policy: Policy): Promise<readonly Check[]> {
  if (policy.witnesses.length === 0) return []
  const { witnesses, reached } = await lookAtWitnesses(storedLog(stored), policy, Date.now())
  const alarms = witnesses.filter(({ shown }) => shown.alarm !== null)
  if (alarms.length > 0) {
    const who = listed(alarms.map(({ name, shown }) => `${plain(name)} (${shown.alarm ?? ''})`))
    const next = `stop the server, then npx ampere witness status; ${MANUAL}`
    return [wrong('Witnesses', `cosigned another or a larger log than is stored here: ${who}`, next)]
  }
  const silent = witnesses.filter(({ shown }) => shown.why !== null)
  const why = listed(silent.map(({ name, shown }) => `${plain(name)}: ${shown.why ?? ''}`))
  const next = 'npx ampere witness status, and tell their operators'
  if (policy.quorum !== null && !reached && stored.isRunning)
    return [wrong('Witnesses', `the quorum is missing${why === '' ? '' : `; ${why}`}`, next)]
  if (silent.length > 0) return [note('Witnesses', why, next)]
  return [
    reached || policy.quorum === null
      ? ok(
          'Witnesses',
          `${counted(witnesses.length, 'witness', 'witnesses')} asked, all answer; the newest checkpoint has the quorum`,
        )
      : note('Witnesses', 'the newest checkpoint lacks the quorum; they are asked when the home is served'),
  ]
}
