// SPDX-License-Identifier: Apache-2.0
import { homesFor, PROMISED_MS, SECONDS, SEED, type Answer } from './answers.ts'
import { KEY_SERVICES, READ_ON, type Limit } from './limits.ts'
import { ENTRY_BYTES, type Measured } from './measured.ts'
import type { Tally } from './tally.ts'

/** Blocks of a patient in a year, for which homes are counted. */
const BLOCKS_PER_YEAR = [10, 50, 200]

/** docs/CAPACITY.md: everything in it but the sentences is computed. */
export function capacityPage(measured: Measured, answers: readonly Answer[], machine: string): string {
  return `${[
    HEAD,
    `Measured on ${machine}. Simulated with seed ${SEED}, ${SECONDS} s of each load (30 s of the largest).`,
    '## What limits first',
    ...answers.flatMap(limitsOf),
    'The sequencer is one: others may run beside it, and only one of them commits. What it would log alone, with other CPU times than the measured ones, which are of this machine and of how busy it was (0: calls alone):',
    cpuTable(answers),
    '## What happens at a load',
    LOADS_SAY,
    ...answers.flatMap(loadsOf),
    '## How it grows',
    growthOf(measured),
    '## Many homes for 10^8 patients',
    homesOf(answers),
    '## What was measured',
    `Calls, and bytes of all of them together (partition, key and value), on the memory platform; an append has one entry of ${ENTRY_BYTES} bytes. A chain that the sequencer has not in memory is the usual case where there are many.`,
    countsOf(measured),
    `CPU time of the sequencer: ${fixed(measured.cpuMsPerChain)} ms for each such chain with its block, ${fixed(measured.cpuMsPerMark * 1000)} us for each mark that it reads.`,
    '## Limits and assumptions',
    `Read on ${READ_ON} in stored copies of these pages; [unchecked] is from memory. What says so is raised on request.`,
    limitTable(answers),
    assumptions(answers),
  ].join('\n\n')}\n`
}

const HEAD = `# What one home carries: a model

\`npm run bench -- capacity\` computes this page anew (with WRITE=1 it writes it). **Nothing here was measured on a cloud.** It is made of three kinds of figures:

- **measured**, in the same run: which calls an append, a run of the sequencer, a receipt and the removal of a mark make of the ports, how many bytes these move, and what CPU time the sequencer takes;
- **documented** limits of the services, each with its page, below;
- **assumed**: how long a call takes, that traffic is even over the day but for a peak, that calls beyond a limit wait where a service would refuse them, and that each block is of a chain of its own, which no cache helps.

The simulation lets appends come at random, has writers do their calls one after the other, and has the one sequencer look for marks, read chains, commit, publish and remove old marks in the order, and with the widths, of its code (core/server/sequence).`

const LOADS_SAY = `Times from when a block is stored until a tree with it is published. Above what a home carries they grow as long as the load lasts; these are after the time simulated.`

function limitsOf({ profile, carries, limits }: Answer): readonly string[] {
  const rows = limits
    .filter(({ appendsPerSecond }) => appendsPerSecond < 1e6)
    .slice(0, 8)
    .map(({ name, appendsPerSecond }) => `| ${name} | ${about(appendsPerSecond)} |`)
  return [
    `**${profile.provider}**: one home carries about **${about(carries)} appends/s** in a region (99 of 100 receipts within ${PROMISED_MS / 1000} s). Each limit if it were the only one:`,
    ['| limit | appends/s |', '|---|---|', ...rows].join('\n'),
  ]
}

function cpuTable(answers: readonly Answer[]): string {
  const [first] = answers
  const rows = (first?.sequencerBy ?? []).map(({ cpuPart }, i) => {
    const rates = answers.map(({ sequencerBy }) => about(sequencerBy[i]?.appendsPerSecond ?? 0))
    return `| ${cpuPart} | ${rates.join(' | ')} |`
  })
  const heads = answers.map(({ profile }) => `${profile.provider}, blocks/s`)
  return [
    `| times the measured CPU time | ${heads.join(' | ')} |`,
    `|---|${heads.map(() => '---|').join('')}`,
    ...rows,
  ].join('\n')
}

function loadsOf({ profile, outcomes }: Answer): readonly string[] {
  const rows = outcomes.map(({ appendsPerSecond, outcome }) => {
    const { receiptMs, logged, appended, parts, used } = outcome
    const all = Object.values(parts).reduce((sum, ms) => sum + ms, 0)
    const shares = Object.entries(parts)
      .map(([name, ms]) => `${name} ${Math.round((100 * ms) / Math.max(1, all))} %`)
      .join(', ')
    const most = used
      .slice(0, 2)
      .map(([name, part]) => `${name} ${Math.round(100 * part)} %`)
      .join(', ')
    const isLogged = logged === 0 ? 'none' : `${seconds(receiptMs.p50)}, ${seconds(receiptMs.p99)}`
    return `| ${whole(appendsPerSecond)} | ${Math.round((100 * logged) / Math.max(1, appended))} % | ${isLogged} | ${shares} | ${most} |`
  })
  return [
    `**${profile.provider}**`,
    [
      "| appends/s | logged | receipt p50, p99 | where the sequencer's time goes | most used |",
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n'),
  ]
}

function growthOf(measured: Measured): string {
  const { logBytesPerLeaf, leafRowBytes, witnessedRowBytes, append } = measured
  const stored = ['table.blocks.insert', 'table.wraps.insert', 'objects.entries.store'].reduce(
    (sum, name) => sum + (append[name]?.bytes ?? 0),
    0,
  )
  const days = (20 * 2 ** 30) / (witnessedRowBytes * 86_400)
  return [
    `Per 10^6 blocks: ${whole(logBytesPerLeaf)} MB of tiles and bundles in large runs, ${whole(leafRowBytes)} MB of rows that say where a block is (one block of a chain in a run), and ${whole(stored)} MB of blocks, key rows and objects (one entry of ${ENTRY_BYTES} bytes). Beside that each append leaves a mark of ${whole(measured.markBytes)} bytes for at least 15 minutes.`,
    `Each checkpoint that two witnesses cosigned is a row of ${whole(witnessedRowBytes)} bytes in one partition, for ever. With one each second that is ${whole((witnessedRowBytes * 86_400) / 1e6)} MB a day: **a logical partition of Cosmos DB (20 GB) is full after ${whole(days)} days in which something is logged and cosigned each second.** DynamoDB has no such limit.`,
  ].join('\n\n')
}

function homesOf(answers: readonly Answer[]): string {
  const rows = BLOCKS_PER_YEAR.map((blocks) => {
    const counted = answers.map(({ carries }) => homesFor(blocks, carries))
    const [first] = counted
    return `| ${blocks} | ${whole(first?.average ?? 0)} | ${whole(first?.peak ?? 0)} | ${counted.map(({ homes }) => homes).join(' | ')} |`
  })
  return [
    'A record has one home, and each home its own log, sequencer and witnesses: homes share nothing but registries and the witnesses that they choose, so that what they carry adds up. 10^8 patients, a peak of four times the average, and homes that at the peak have half of what they carry:',
    [
      `| blocks per patient and year | average/s | peak/s | ${answers.map(({ profile }) => `homes on ${profile.provider}`).join(' | ')} |`,
      `|---|---|---|${answers.map(() => '---|').join('')}`,
      ...rows,
    ].join('\n'),
  ].join('\n\n')
}

function countsOf({ append, run, perChain, receipt, clean }: Measured): string {
  const columns: readonly (readonly [string, Tally])[] = [
    ['append', append],
    ['run, whatever it logs', run],
    ['run, each chain', perChain],
    ['receipt', receipt],
    ['removing a mark', clean],
  ]
  const names = [...new Set(columns.flatMap(([, tally]) => Object.keys(tally)))].toSorted()
  const cell = (tally: Tally, name: string) => {
    const { calls = 0, bytes = 0 } = tally[name] ?? {}
    return calls < 0.005 ? '' : `${fixed(calls)} (${whole(bytes)} B)`
  }
  const rows = names
    .filter((name) => columns.some(([, tally]) => cell(tally, name) !== ''))
    .map((name) => `| ${name} | ${columns.map(([, tally]) => cell(tally, name)).join(' | ')} |`)
  return [
    `| call | ${columns.map(([title]) => title).join(' | ')} |`,
    `|---|${columns.map(() => '---|').join('')}`,
    ...rows,
  ].join('\n')
}

function limitTable(answers: readonly Answer[]): string {
  const row = (name: string, { value, unit, page, raisable }: Limit) =>
    `| ${name} | ${value.toLocaleString('en')} ${unit} | ${raisable ? 'yes' : 'no'} | ${page ?? '[unchecked]'} |`
  const rows = answers.flatMap(({ profile }) =>
    Object.entries(profile.limits).flatMap(([name, limit]: [string, Limit]) =>
      limit.value === Infinity ? [] : [row(`${profile.provider}, ${name}`, limit)],
    ),
  )
  const keys = KEY_SERVICES.map((each) => row(`${each.name} (not in the model)`, each))
  return ['| limit | value | raised | page |', '|---|---|---|---|', ...rows, ...keys].join('\n')
}

function assumptions(answers: readonly Answer[]): string {
  const latencies = answers.map(
    ({ profile: { provider, latencies: ms } }) =>
      `${provider}: table ${ms.table} ms, object written ${ms.objectWrite} ms, read ${ms.objectRead} ms`,
  )
  return `Assumed times of calls [unchecked]: ${latencies.join('; ')}. Keys are software keys whose seeds the key service wraps: it is asked when a process begins, and not per append or run, so that its quotas do not limit; with one key service call per append the quota above would be the limit. DynamoDB counts 4 KiB for a strong read and 1 KiB for a write; Cosmos DB by its table of sizes, strong reads twice, and 2.3 RU more for a query [unchecked]. Not in the model: readers, mirrors, auditors and witnesses; retries; cold starts; partitions that are split on the way; blocks of one chain that are logged together, which cost less.`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** To two digits: the model knows no more. */
function about(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en')
}

function fixed(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
