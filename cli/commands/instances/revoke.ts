// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { chainDue } from '#core/client/acts/rotation/chain-due.ts'
import { isAmpereError } from '#core/errors.ts'
import type { InstanceRecord, KeyRecord } from '#core/registry/records.ts'
import { activeInstanceOf } from '#core/registry/snapshot.ts'
import { openBridge } from '../../open/bridge.ts'
import type { ActingOptions, Reached } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { suggestion } from '../../program/near.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../../terminal/confirm.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'
import { showElsewhere, shownLines, type ShownTo } from './show-elsewhere.ts'
import { instancesIn, keyOf, withRegistry, type RegistrySession } from './registry-session.ts'

/** Why a key is taken out of use. */
export const REASONS = ['retired', 'suspended', 'compromised'] as const

interface RevokeOptions extends ActingOptions, GraveOptions {
  readonly reason: (typeof REASONS)[number]
  /** Milliseconds since 1970. */
  readonly suspectFrom?: number
}

/** Revokes an app instance of an institution of this machine, and says what follows from it. */
export async function revokeInstance(call: Call<RevokeOptions>): Promise<number> {
  const { reason, suspectFrom: suspectFromMs } = call.options
  if (suspectFromMs !== undefined && reason !== 'compromised')
    throw usage('--suspect-from goes with --reason compromised')
  const suspectFrom = suspectFromMs === undefined ? null : toTimestamp(suspectFromMs)
  return withRegistry(call, async (session) => {
    const { instance, key } = revocable(session, call.args[0] ?? '')
    const said = { instance: instance.id, kid: instance.signing, reason, suspectFrom }
    const says = [
      reason === 'suspended'
        ? `Suspends ${instance.id}: no home accepts what it signs until it is reinstated (instance reinstate)`
        : `Revokes ${instance.id} (${reason}) for good: no home accepts what it signs from then on.`,
    ]
    if (!(await confirmGrave(call.screen, call.options, { says, name: instance.id }))) {
      call.screen.print(
        { ok: true, dryRun: true, ...said, registryHeight: session.height(), shown: [], follows: [] },
        ['Nothing was changed (--dry-run).'],
      )
      return EXIT.ok
    }
    call.screen.stopping.keeps(() => 'Whether the instance was revoked, npx ampere instance list says.')
    // Other homes first: the key is to be refused there also where the home of the registry does not answer.
    const shown = await showElsewhere(session, { kid: key.kid, reason, suspectFrom })
    await session
      .change(
        { act: 'revoke', kid: key.kid, reason, suspectFrom },
        (after) => keyOf(after, instance)?.revoked?.reason === reason,
      )
      .catch((error: unknown) => {
        throw sayingWhoRefuses(error, shown)
      })
    checkStopped(session, instance)
    const follows = await consequences(session, instance, said)
    call.screen.print(
      { ok: true, dryRun: false, ...said, registryHeight: session.height(), shown, follows },
      [
        `${instance.id} is revoked (${reason}) since registry block ${session.height()}.`,
        ...[...shownLines(shown), ...follows].map((line) => `  ${line}`),
      ],
    )
    return EXIT.ok
  })
}

/** Whoever has the key can have given the instance another one meanwhile, which the block did not revoke. @throws AmpereError PRECONDITION_FAILED */
export function checkStopped(
  { state }: Pick<RegistrySession, 'state'>,
  { id }: Pick<InstanceRecord, 'id'>,
): void {
  if (instancesIn(state()).some((now) => now.id === id && now.status === 'active'))
    throw refuse(
      'PRECONDITION_FAILED',
      `the key of ${id} is revoked, and it has another one since: whoever had the old one renewed it meanwhile`,
      'the same command, which revokes that one too',
    )
}

/** Where the registry has not got the block, whoever revokes is to know who refuses the key all the same. */
function sayingWhoRefuses(error: unknown, shown: readonly ShownTo[]): unknown {
  const by = shown.flatMap(({ origin, isTaken }) => (isTaken ? [origin] : []))
  if (!isAmpereError(error) || by.length === 0) return error
  const message = `${error.message}. Refused from now on by ${by.join(', ')}; the registry does not have it`
  return refuse(error.code, message, 'the same command, until the home of the registry takes it', error)
}

function revocable(
  { institution, state }: RegistrySession,
  id: string,
): { readonly instance: InstanceRecord; readonly key: KeyRecord } {
  const own = instancesIn(state()).filter((instance) => instance.institution === institution.id)
  const instance = own.find((candidate) => candidate.id === id)
  const key = instance ? keyOf(state(), instance) : null
  if (!instance || !key) {
    const ids = own.map((candidate) => candidate.id as string)
    const known = `it has ${ids.join(', ')}${suggestion(id, ids)}`
    throw refuse(
      'NOT_FOUND',
      `${institution.id} has no app instance ${id.slice(0, 63)}; ${known}`,
      'npx ampere instance list --all',
    )
  }
  if (key.revoked !== null && key.revoked.reason !== 'suspended') {
    throw refuse(
      'ALREADY_EXISTS',
      `${id} is revoked already (${key.revoked.reason})`,
      'npx ampere instance list',
    )
  }
  return { instance, key }
}

/** What has to be done or known after a revocation, in sentences. */
async function consequences(
  session: RegistrySession,
  instance: InstanceRecord,
  { reason, suspectFrom }: { readonly reason: string; readonly suspectFrom: string | null },
): Promise<string[]> {
  const { institution, home, isInCloud, connection } = session
  const view = connection.sync.registry.newest()
  const active = institution.instances.filter(({ kid }) => activeInstanceOf(view, kid) !== null)
  const enrol = `npx ampere instance enrol --as ${institution.id}`
  return [
    ...(suspectFrom === null
      ? []
      : [`What it signed from ${localTime(suspectFrom)} on is suspect: confirm it at the source.`]),
    ...(reason === 'compromised'
      ? [
          `Whoever has its key file has the sealing key of ${institution.id} as well and can open what it was granted. New keys do not help`,
          '  against that, and a sealing key cannot be replaced yet: take its grants away where that is better than leaving them.',
        ]
      : []),
    ...(home === null && !isInCloud && institution.instances[0]?.kid === instance.signing
      ? ['The running server acts with it still and will be refused: stop it and start it again.']
      : []),
    ...(active.length === 0
      ? [`${institution.id} cannot read or write on this machine any more. Next: ${enrol}`]
      : []),
    ...(active.length === 1
      ? [`${institution.id} has one active instance left here; erasing needs two. Next: ${enrol}`]
      : []),
    ...(active.length === 0 ? [] : await rotations(session, institution.id)),
  ]
}

/** Records that need new keys now, in sentences; none where there are none. */
async function rotations(reached: Reached, id: string): Promise<string[]> {
  const open = await openBridge(reached, id)
  try {
    const due = { ours: 0, others: 0 }
    for (const chain of new Set((await open.records()).map((record) => record.chain))) {
      const found = chainDue(open.connection, await open.connection.replica(chain))
      if (found.due.length > 0) due[found.isController ? 'ours' : 'others']++
    }
    const who = reached.home === null ? 'The server or bridge that runs gives them; or' : 'Next'
    return [
      ...(due.ours === 0
        ? []
        : [
            `New keys are due for ${counted(due.ours, 'record')}. ${who}: npx ampere rotation run --as ${id}`,
          ]),
      ...(due.others === 0
        ? []
        : [`New keys are due for ${counted(due.others, 'record')} that others control: they give them.`]),
    ]
  } finally {
    await open.close()
  }
}
