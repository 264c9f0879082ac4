// SPDX-License-Identifier: Apache-2.0

/** Rounds of every benchmark: enough for a median that one disturbance does not move. */
export const ROUNDS = 7

/** One round of one act. CPU time counts all threads of this process, so it is steadier than wall time. */
export interface Sample {
  readonly wallMs: number
  readonly cpuMs: number
}

/** One figure of a result: the median of its rounds, and what it is held against. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly value: number
  readonly lowest: number
  readonly highest: number
  readonly rounds: number
  readonly goal: Goal | null
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number }

/** What one benchmark found. */
export interface Result {
  /** What was measured on, and how: sizes, counts, rounds. */
  readonly sizes: string
  readonly figures: readonly Figure[]
  readonly doesNotShow: string
}

/** One question with the file that answers it. */
export interface Bench {
  readonly question: string
  readonly run: () => Promise<Result>
}

/** Wall and CPU time of one act in this process. */
export async function time(act: () => Promise<unknown>): Promise<Sample> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await act()
  const wallMs = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs, cpuMs: (user + system) / 1000 }
}

/**
 * Measures acts in turn, round by round and each round in another order, so that what disturbs the machine
 * meets all of them alike. Each runs once unmeasured first.
 */
export async function inTurn<K extends string>(
  acts: Readonly<Record<K, (round: number) => Promise<unknown>>>,
  rounds: number = ROUNDS,
): Promise<Record<K, readonly Sample[]>> {
  const names = Object.keys(acts) as K[]
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Record<K, Sample[]>
  for (const name of names) await acts[name](-1)
  for (let round = 0; round < rounds; round++) {
    const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)]
    for (const name of order) samples[name].push(await time(() => acts[name](round)))
  }
  return samples
}

/** A figure from one value per round. */
export function figure(
  name: string,
  unit: string,
  values: readonly number[],
  goal: Goal | null = null,
): Figure {
  return {
    name,
    unit,
    value: median(values),
    lowest: Math.min(...values),
    highest: Math.max(...values),
    rounds: values.length,
    goal,
  }
}

/** Acts per second of each round, where one round is `count` acts. */
export function perSecond(count: number, samples: readonly Sample[]): number[] {
  return samples.map(({ wallMs }) => count / (wallMs / 1000))
}

/** CPU microseconds per act of each round. */
export function cpuMicros(count: number, samples: readonly Sample[]): number[] {
  return samples.map(({ cpuMs }) => (cpuMs * 1000) / count)
}

/** Round by round, `a` divided by `b`: a machine that is slow for a while is so for both. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value / (b[i] ?? Number.NaN))
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('there is no median of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = 0, high = 0] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]]
  return (low + high) / 2
}

/** Null where there is no goal. */
export function isMet({ value, goal }: Figure): boolean | null {
  if (!goal) return null
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost
}

/** A result as lines for people. */
export function linesOf(name: string, question: string, result: Result): string[] {
  const width = Math.max(...result.figures.map((item) => item.name.length))
  return [
    `${name}: ${question}`,
    `  ${result.sizes}`,
    ...result.figures.map((item) => `  ${item.name.padEnd(width)}  ${lineOf(item)}`),
    `  Not shown: ${result.doesNotShow}`,
  ]
}

function lineOf(item: Figure): string {
  const { value, unit, lowest, highest, rounds, goal } = item
  const spread = rounds > 1 && lowest !== highest ? `  (${digits(lowest)} to ${digits(highest)})` : ''
  const shown = `${digits(value).padStart(8)} ${unit}`.trimEnd()
  if (!goal) return `${shown}${spread}`
  const wanted = 'atLeast' in goal ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`
  return `${shown}${spread}  goal ${wanted}: ${isMet(item) === true ? 'met' : 'missed'}`
}

function digits(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  if (Math.abs(value) >= 10) return value.toFixed(1)
  return value === 0 || Math.abs(value) >= 0.1 ? value.toFixed(2) : value.toPrecision(2)
}
