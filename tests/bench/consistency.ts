// SPDX-License-Identifier: Apache-2.0
import { checkRecord } from '#core/consistency/check.ts'
import { createChecker } from '#core/consistency/checker.ts'
import { knowledge } from '#tests/bridge-world.ts'
import { longRecord } from '#tests/core/consistency/long-records.ts'

const SIZES = [1000, 10_000] as const
const NEWS = 400
/** Resources per measurement of a whole check, in as many checks as that takes. */
const ENOUGH = 100_000

/** How fast is a whole record checked, and does checking one new resource depend on the record's size? */
export function benchConsistency(): string[] {
  const nowMs = Date.now()
  const [, most] = SIZES
  const all = longRecord(most + NEWS)
  return SIZES.flatMap((size) => {
    const record = all.slice(0, size)
    const check = () => checkRecord(record, knowledge, nowMs)
    for (let i = 0; i < 5; i++) check()
    const rounds = ENOUGH / size
    const before = process.threadCpuUsage()
    for (let i = 0; i < rounds; i++) check()
    const { user, system } = process.threadCpuUsage(before)
    const checker = createChecker(knowledge)
    checker.update({ put: record, nowMs })
    const each = all.slice(most).map((one) => wallMs(() => checker.update({ put: [one], nowMs })))
    const everything = [...record, ...all.slice(most)]
    const same = Array.from({ length: 20 }, () => wallMs(() => checker.sync(everything, nowMs)))
    return [
      `check ${size} resources of one patient, whole: ${Math.round(ENOUGH / ((user + system) / 1e6))} per second of processor time (goal 50000)`,
      `  one more resource: ${(at(each, 0.5) * 1000).toFixed(0)} us, 95 of 100 within ${(at(each, 0.95) * 1000).toFixed(0)} us (goal 10 ms at any size)`,
      `  finding out that nothing is new: ${at(same, 0.5).toFixed(1)} ms`,
    ]
  })
}

function wallMs(act: () => unknown): number {
  const started = performance.now()
  act()
  return performance.now() - started
}

/** The value below which a share of the values lies. */
function at(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN
}
