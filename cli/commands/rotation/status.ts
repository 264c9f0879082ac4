// SPDX-License-Identifier: Apache-2.0
import type { Estimate } from '#core/bridge/rotation/estimate.ts'
import type { OpenRecord } from '#core/bridge/rotation/open-records.ts'
import type { RotationStatus } from '#core/bridge/rotation/rotation.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { shortId, withSession, type ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { columns, counted, duration, localTime } from '../../terminal/words.ts'

/** Says which records need new keys, and how far giving them has come. */
export async function rotationStatus(
  call: Call<ActingOptions & { readonly look?: boolean }>,
): Promise<number> {
  return withSession(
    call,
    async ({ open: { rotation } }) => {
      const status = await rotation.status()
      const estimate = call.options.look === false ? null : await rotation.estimate()
      const ok = !isWaiting(status.open) && (estimate?.due.length ?? 0) === 0
      const { row, state } = status
      const told = { state, perMinute: row.perMinute, round: roundJson(status) }
      const due = estimate ? { due: estimate.due } : {}
      call.screen.print(
        { ok, ...told, estimate: estimate && estimateJson(estimate), ...due, open: openJson(status.open) },
        [
          ...stateLines(status),
          ...(estimate ? estimateLines(estimate) : []),
          ...openLines(status.open),
          ...((estimate?.due.length ?? 0) === 0 ? [] : ['Next: npx ampere rotation run']),
        ],
      )
      return ok ? EXIT.ok : EXIT.failed
    },
    'look',
  )
}

/** What somebody else controls waits for nobody here. */
export function isWaiting(open: readonly Pick<OpenRecord, 'why'>[]): boolean {
  return open.some(({ why }) => why !== 'not-controlled')
}

/** An estimate with its times in seconds. */
export function estimateJson({ records, due, blocks, atLeastMs, msPerChain }: Estimate): object {
  return { records, due: due.length, blocks, atLeastSeconds: Math.ceil(atLeastMs / 1000), msPerChain }
}

/** How much there is to do. */
export function estimateLines({ records, due, blocks, atLeastMs, perMinute }: Estimate): string[] {
  if (due.length === 0) return [`No new keys are due here (${counted(records, 'record')} looked at).`]
  const rows = due.slice(0, MOST_LINES).map(({ chain, readers }) => [shortId(chain), readers.join(' ')])
  const more = due.length - rows.length
  return [
    `New keys are due for ${due.length} of ${counted(records, 'record')}: ${counted(blocks, 'block')}, at ${perMinute} a minute at least ${duration(atLeastMs)}.`,
    ...columns(rows),
    ...(more > 0 ? [`  and ${more} more (--json lists them)`] : []),
  ]
}

/** What could not be done, and what to do about it. */
export function openLines(open: readonly OpenRecord[]): string[] {
  if (open.length === 0) return []
  const rows = open
    .slice(0, MOST_LINES)
    .map(({ chain, why, readers, sinceMs }) => [
      shortId(chain),
      MEANS[why],
      readers.join(' '),
      `since ${localTime(toTimestamp(sinceMs))}`,
    ])
  const more = open.length - rows.length
  return [
    `${counted(open.length, 'record')} could not be given all new keys:`,
    ...columns(rows),
    ...(more > 0 ? [`  and ${more} more (--json lists them)`] : []),
  ]
}

/** Open records with the time since when. */
export function openJson(open: readonly OpenRecord[]): readonly object[] {
  return open.map(({ sinceMs, ...rest }) => ({ ...rest, since: toTimestamp(sinceMs) }))
}

/** Records that are listed for people. */
const MOST_LINES = 20

const MEANS: Readonly<Record<OpenRecord['why'], string>> = {
  'not-controlled': 'another controls it',
  'controller-removed': 'a controller was removed from the registry: change the controllers',
  'no-keys': 'its keys of today are not here',
  moved: 'it is at another home',
  'not-found': 'the home does not show it to us',
  refused: 'the home refuses the block',
  unreachable: 'the home does not answer',
  unverified: 'what the home shows does not verify: npx ampere verify --all',
}

function stateLines({ state, row }: RotationStatus): string[] {
  if (state === 'never-ran') return ['Rotation has not run yet.']
  const round = `${counted(row.looked, 'record')} looked at, ${counted(row.rotated, 'chain')} given new keys`
  if (state === 'paused') return ['Rotation is paused. Next: npx ampere rotation run']
  if (row.endedMs === null)
    return [`Rotation goes on since ${localTime(toTimestamp(row.beganMs))}: ${round}.`]
  return [`Last round ended ${localTime(toTimestamp(row.endedMs))}: ${round}.`]
}

function roundJson({ state, row }: RotationStatus): object | null {
  if (state === 'never-ran' || row.beganMs === 0) return null
  const { looked, rotated, open } = row
  const ended = row.endedMs === null ? null : toTimestamp(row.endedMs)
  return { began: toTimestamp(row.beganMs), ended, looked, rotated, open }
}
