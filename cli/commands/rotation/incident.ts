// SPDX-License-Identifier: Apache-2.0
import { createFile } from '#adapters/local/store/durable-file.ts'
import type { AffectedRecord } from '#core/client/incident/affected-record.ts'
import { incidentReport as reportIncident, type IncidentReport } from '#core/client/incident/report.ts'
import type { Suspect } from '#core/client/incident/subject.ts'
import { recordsIn } from '#core/registry/state.ts'
import { MIN_NAME, shortId, withSession, type ActingOptions, type Session } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { columns, counted, localTime } from '../../terminal/words.ts'

interface IncidentOptions extends ActingOptions {
  readonly kid?: string
  readonly instance?: string
  readonly institution?: string
  /** Milliseconds since 1970, as the next. */
  readonly from?: number
  readonly to?: number
  readonly out?: string
}

/** Says what a lost key, app instance or institution could do to the records that this institution knows. */
export async function incidentReport(call: Call<IncidentOptions>): Promise<number> {
  const { options, screen } = call
  const given = suspectIn(options)
  const window = { fromMs: options.from ?? null, toMs: options.to ?? null }
  if (window.fromMs !== null && window.toMs !== null && window.fromMs >= window.toMs)
    throw usage('--from has to be before --to')
  return withSession(
    call,
    async (session) => {
      const { open } = session
      const suspect = { ...given, id: given.kind === 'kid' ? wholeKid(session, given.id) : given.id }
      const chains = (await open.records()).map(({ chain }) => chain)
      const report = await reportIncident(open.connection, chains, suspect, window)
      const { out: file = null } = options
      if (file !== null && !createFile(file, `${JSON.stringify(report, null, 2)}\n`))
        throw refuse(
          'ALREADY_EXISTS',
          `${file} is there already and was left alone`,
          'give another --out FILE',
        )
      screen.print({ ok: true, file, report }, [
        ...reportLines(report),
        ...(file === null ? [] : [`Written: ${file}, for its owner only.`]),
      ])
      return EXIT.ok
    },
    'look',
  )
}

function suspectIn({ kid, instance, institution }: IncidentOptions): Suspect {
  const given: readonly Suspect[] = [
    ...(kid === undefined ? [] : [{ kind: 'kid' as const, id: kid }]),
    ...(instance === undefined ? [] : [{ kind: 'instance' as const, id: instance }]),
    ...(institution === undefined ? [] : [{ kind: 'institution' as const, id: institution }]),
  ]
  const [only] = given
  if (!only || given.length > 1) throw usage('one of --kid, --instance and --institution is expected')
  return only
}

/** The key that its first characters name, as commands show them. @throws AmpereError NOT_FOUND */
function wholeKid({ open }: Session, text: string): string {
  if (text.length === 43) return text
  if (text.length < MIN_NAME) throw usage(`a key is named by at least ${MIN_NAME} characters of its id`)
  const state = open.connection.sync.registry.link()?.state
  const kids = [...(state ? recordsIn(state) : [])].flatMap((record) =>
    record.kind === 'key' && record.use === 'sign' && record.kid.startsWith(text) ? [record.kid] : [],
  )
  const [only] = kids
  if (only && kids.length === 1) return only
  const message =
    kids.length === 0
      ? `no key of the registry begins with ${text.slice(0, 43)}; that of a device is named by its whole id`
      : `several keys begin with ${text.slice(0, 43)}: give more characters`
  throw refuse('NOT_FOUND', message, 'npx ampere instance list --all')
}

function reportLines({ subject, lookedAt, records, failed, notKnown }: IncidentReport): string[] {
  const { suspect, keys } = subject
  return [
    `${suspect.kind} ${suspect.kind === 'kid' ? shortId(suspect.id) : suspect.id}: ${counted(keys.length, 'key')}`,
    ...columns(
      keys.map(({ kid, instance, revoked }) => [
        shortId(kid),
        instance ?? 'a device',
        revoked
          ? `revoked (${revoked.reason}${revoked.suspectFrom === null ? '' : `, suspect from ${localTime(revoked.suspectFrom)}`}), registry block ${revoked.height}`
          : 'not revoked',
      ]),
    ),
    `${counted(records.length, 'record')} of ${lookedAt} affected`,
    ...records.flatMap(recordLines),
    ...failed.map(({ chain, code }) => `  ${shortId(chain)}  could not be read: ${code}`),
    'Not known:',
    ...notKnown.map(({ says, count }) => `  - ${says}${count === null ? '' : ` (${count})`}`),
  ]
}

function recordLines({ record, access, readings }: AffectedRecord): string[] {
  const written = [...record.written, ...(access?.written ?? [])]
  const odd = written.filter(({ status }) => status === 'late' || status === 'suspect')
  const oddly = odd.length === 0 ? '' : `, ${odd.length} of them late or suspect`
  const read = (readings?.by ?? []).reduce((sum, item) => sum + item.count, 0)
  return [
    `  ${shortId(record.chain)}  wrote ${counted(written.length, 'block')}${oddly}; ${record.isReader ? 'reads it still' : 'reads it no longer'}${record.isRotationDue ? ', new keys are due' : ''}`,
    ...record.couldOpen.map(
      ({ reader, since, ended, compartments, entriesAtMost }) =>
        `            ${reader} could open ${counted(compartments.length, 'compartment')}, at most ${counted(entriesAtMost, 'entry', 'entries')}, ${localTime(since.time)} to ${ended ? localTime(ended.time) : 'now'}`,
    ),
    `            ${readings === null ? 'its access chain cannot be opened here' : `${counted(read, 'reading')} entered`}`,
  ]
}
