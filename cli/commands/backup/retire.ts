// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import type { Platform } from '#core/ports/needs.ts'
import { getRecord, recordsIn, type RegistryState } from '#core/registry/state.ts'
import type { DeploymentRecord, KeyRecord } from '#core/registry/records.ts'
import type { ActingOptions, Reached } from '../../deployment/session.ts'
import { storedChains } from '../../migrate/chains.ts'
import type { Call } from '../../program/command.ts'
import { suggestion } from '../../program/near.ts'
import { refuse } from '../../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../../terminal/confirm.ts'
import { EXIT } from '../../terminal/screen.ts'
import { withRegistry, type RegistrySession } from '../instances/registry-session.ts'

interface RetireOptions extends ActingOptions, GraveOptions {}

/**
 * Says in the registry that the stores of a home that was left are destroyed, with all copies: from then on nobody waits for it
 * to erase anything.
 */
export async function retire(call: Call<RetireOptions>): Promise<number> {
  return withRegistry(call, async (session) => {
    const { record, key } = retirable(session, call.args[0] ?? '')
    const { id, origin } = record
    if (!session.isInCloud) await checkLeft(session, record)
    const says = [
      `Revokes the key of ${id} (${origin}) for good: what it states counts for nothing any more.`,
      'It says that the stores of that home, its backups and all copies are destroyed; nobody checks that.',
    ]
    if (!(await confirmGrave(call.screen, call.options, { says, name: id }))) {
      call.screen.print({ ok: true, dryRun: true, deployment: id, origin, kid: key.kid }, [
        'Nothing was changed (--dry-run).',
      ])
      return EXIT.ok
    }
    await session.change(
      { act: 'revoke', kid: key.kid, reason: 'retired', suspectFrom: null },
      (after) => keyOf(after, record)?.revoked?.reason === 'retired',
    )
    call.screen.print({ ok: true, dryRun: false, deployment: id, origin, kid: key.kid }, [
      `${id} is retired since registry block ${session.height()}: no erasure waits for it.`,
    ])
    return EXIT.ok
  })
}

function retirable(
  { institution, state, settings }: RegistrySession,
  id: string,
): { readonly record: DeploymentRecord; readonly key: KeyRecord } {
  const own = deploymentsIn(state()).filter((record) => record.institution === institution.id)
  const record = own.find((candidate) => candidate.id === id)
  const key = record ? keyOf(state(), record) : null
  if (!record || !key) {
    const ids = own.map((candidate) => candidate.id as string)
    throw refuse(
      'NOT_FOUND',
      `${institution.id} has no deployment ${id.slice(0, 63)}; it has ${ids.join(', ')}${suggestion(id, ids)}`,
    )
  }
  const rules = getRecord(state(), 'rules')
  if (record.origin === settings.origin || (rules?.kind === 'rules' && rules.home === id))
    throw refuse('CONFIGURATION', `${id} is the home here, or that of the registry`, 'npx ampere migrate')
  if (key.revoked !== null && key.revoked.reason !== 'suspended')
    throw refuse('ALREADY_EXISTS', `the key of ${id} is revoked already (${key.revoked.reason})`)
  return { record, key }
}

/**
 * A chain that names a home has it nowhere else: who says that its stores are destroyed, says that the chain is.
 * @throws AmpereError CONFIGURATION
 */
async function checkLeft({ home, folder }: Reached, { id, origin }: DeploymentRecord): Promise<void> {
  const platform = home?.platform ?? beside(folder)
  try {
    for await (const { chain, state } of storedChains(platform)) {
      // Of a record that was erased as a whole nothing is left to lose, and nobody can move it.
      if (state.home.deployment !== id || state.ended) continue
      throw refuse(
        'CONFIGURATION',
        `chain ${chain} is at home at ${id} (${origin}) still, as these stores have it, and perhaps others are`,
        'move it first: npx ampere migrate, in the data folder of that home',
      )
    }
  } finally {
    if (!home) await platform.close()
  }
}

/** The stores of a home that a server has. */
function beside(folder: string): Platform {
  return openLocal({ folder: join(folder, 'home'), passphrase: null, beside: true, readOnly: true })
}

function deploymentsIn(state: RegistryState): readonly DeploymentRecord[] {
  return [...recordsIn(state)].filter((record) => record.kind === 'deployment')
}

function keyOf(state: RegistryState, { kid }: DeploymentRecord): KeyRecord | null {
  const record = getRecord(state, `key/${kid}`)
  return record?.kind === 'key' ? record : null
}
