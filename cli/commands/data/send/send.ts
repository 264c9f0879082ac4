// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { Call } from '../../../program/command.ts'
import { refuse, usage } from '../../../program/refuse.ts'
import { readInput } from '../../../terminal/files.ts'
import { EXIT, type Common, type Screen } from '../../../terminal/screen.ts'
import { columns, count } from '../../../terminal/words.ts'
import { deliver, NOT_FHIR, type Outcome, type Target } from './deliver.ts'
import { planDeliveries, type Unsendable } from './deliveries.ts'

interface SendOptions extends Common {
  readonly to?: string
  readonly tokenFile?: string
  /** Seconds. */
  readonly timeout: number
}

/** Largest file that is sent, in bytes. */
const MAX_SEND_BYTES = 64 * 1024 * 1024
/** Rows of the table for people when all went well; --json has all. */
const MAX_ROWS = 20

/** One row of the table. */
interface Row extends Omit<Outcome, 'outcome'> {
  readonly outcome: Outcome['outcome'] | 'not sent'
}

const BAD: readonly Row['outcome'][] = ['refused', 'unknown', 'not sent']

/** Posts a file to a FHIR endpoint, as a hospital's software would. */
export async function send(call: Call<SendOptions>): Promise<number> {
  const [file = ''] = call.args
  const { screen, options } = call
  const isNdjson = /\.ndjson$/i.test(file)
  const text = fromUtf8(
    readInput(
      file,
      MAX_SEND_BYTES,
      isNdjson ? `split -l 10000 ${file}, then send each part` : 'send smaller Bundles',
    ),
  )
  const plan = planDeliveries(text, isNdjson)
  const base = await endpoint(screen, options.to)
  const target: Target = {
    base,
    token: options.tokenFile === undefined ? null : readFileSync(options.tokenFile, 'utf8').trim(),
    timeoutMs: options.timeout * 1000,
    fetch: (request) => fetch(request),
    wait: screen.terminal.wait,
    now: screen.terminal.now,
  }
  const outcomes: Outcome[] = []
  screen.stopping.keeps(
    () =>
      `${count(outcomes.length)} resources were answered; sending again is harmless where the server updates by id.`,
  )
  const progress = screen.progress({ doing: 'Sending', unit: 'requests', total: plan.deliveries.length })
  for (const [i, delivery] of plan.deliveries.entries()) {
    outcomes.push(...(await deliver(target, delivery)))
    progress.update(i + 1)
    // Nobody is there: the rest would end the same way, one timeout after the other.
    if (i === 0 && outcomes.every(({ outcome }) => outcome === 'unknown')) {
      progress.stop()
      throw refuse('UPSTREAM_FAILED', `${base} does not answer`, 'npx ampere start, or correct --to')
    }
    if (i === 0 && outcomes.length > 0 && outcomes.every(({ why }) => why === NOT_FHIR)) {
      progress.stop()
      const message = `${base} answers (HTTP ${outcomes[0]?.status}), but not as a FHIR server`
      throw refuse(
        'UPSTREAM_FAILED',
        message,
        'correct --to: npx ampere start says the URL of each institution',
      )
    }
  }
  progress.stop()
  return report(screen, base, outcomes, plan)
}

async function endpoint(screen: Screen, given: string | undefined): Promise<string> {
  const text =
    given ??
    (await screen.ask({ message: "URL of the server's FHIR endpoint", flag: '--to', check: urlProblem }))
  const problem = urlProblem(text)
  if (problem !== undefined) throw usage(`--to: ${problem}`)
  return text.replace(/\/+$/, '')
}

function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    return 'an http or https URL is expected'
  const { username, password, search } = new URL(text)
  return username + password + search === ''
    ? undefined
    : 'a URL without user, password and query is expected'
}

function report(
  screen: Screen,
  base: string,
  outcomes: readonly Outcome[],
  { unit, unsendable }: { readonly unit: string; readonly unsendable: readonly Unsendable[] },
): number {
  const number = (word: Outcome['outcome']) => outcomes.filter(({ outcome }) => outcome === word).length
  const refused = number('refused') + number('unknown') + unsendable.length
  const done = outcomes.length + unsendable.length - refused
  const rows: readonly Row[] = [
    ...outcomes,
    ...unsendable.map((item) => ({ ...item, status: 0, outcome: 'not sent' as const })),
  ].toSorted((a, b) => a.position - b.position)
  const items = rows.map(({ position, ...rest }) => ({ [unit]: position, ...rest }))
  screen.print({ ok: refused === 0, to: base, sent: outcomes.length, done, refused, items }, [
    ...tableOf(rows, unit),
    `${count(done)} of ${count(items.length)} were filed by ${base}: ${number('created')} created, ${number('updated')} updated or there already${refused === 0 ? '' : `, ${count(refused)} refused`}`,
    ...(refused === 0
      ? []
      : ['  Next: correct what was refused, send again; what was filed is not filed twice.']),
  ])
  return refused === 0 ? EXIT.ok : EXIT.failed
}

/** Every row of a small file, else those that went wrong; one line for a transaction refused as a whole. */
function tableOf(rows: readonly Row[], unit: string): string[] {
  const answers = new Set(rows.map(({ status, outcome, why }) => `${status} ${outcome} ${why}`))
  const [one] = rows
  if (one && rows.length > 1 && answers.size === 1 && BAD.includes(one.outcome)) {
    return [`all ${count(rows.length)}  ${one.outcome}  ${one.status || ''}  ${one.why}`]
  }
  const shown = rows.length <= MAX_ROWS ? rows : rows.filter(({ outcome }) => BAD.includes(outcome))
  return columns(
    shown.map((row) => [`${unit} ${row.position}`, row.type, row.outcome, String(row.status || ''), row.why]),
    '',
  )
}
