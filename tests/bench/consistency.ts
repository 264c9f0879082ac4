// SPDX-License-Identifier: Apache-2.0
import { checkRecord } from '#core/consistency/check.ts'
import { createChecker } from '#core/consistency/checker.ts'
import { knowledge } from '#tests/bridge-world.ts'
import { longRecord } from '#tests/core/consistency/long-records.ts'
import { figure, ROUNDS, time, type Bench, type Figure } from './measure.ts'

const SIZES = [1000, 10_000] as const
const [, MOST] = SIZES
/** Resources that come one by one to a record that was checked. */
const NEWS = 400
/** Resources per round of whole checks, in as many checks as that takes. */
const ENOUGH = 20_000

export const bench: Bench = {
  question: 'How fast is a whole record checked, and does checking one new resource depend on its size?',
  run: async () => {
    const figures: Figure[] = []
    for (const size of SIZES) figures.push(...(await wholeChecks(size)), ...newsTo(size))
    return {
      sizes: `one patient with ${SIZES.join(' and ')} resources, all rules; ${ENOUGH} resources a round, ${ROUNDS} rounds; ${NEWS} resources one by one`,
      figures,
      doesNotShow: 'opening the record, which costs more than checking it; filing what was found.',
    }
  },
}

const ALL = longRecord(MOST + NEWS)
const NOW_MS = Date.UTC(2026, 0, 1)

async function wholeChecks(size: number): Promise<readonly Figure[]> {
  const record = ALL.slice(0, size)
  const check = async () => {
    for (let i = 0; i < ENOUGH / size; i++) checkRecord(record, knowledge, NOW_MS)
  }
  await check()
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) rates.push((ENOUGH * 1000) / (await time(check)).cpuMs)
  return [figure(`whole check, ${size} resources`, 'resources/s of CPU', rates, { atLeast: 50_000 })]
}

function newsTo(size: number): readonly Figure[] {
  const checker = createChecker(knowledge)
  checker.update({ put: ALL.slice(0, size), nowMs: NOW_MS })
  const each = ALL.slice(MOST).map((one) => wallMs(() => checker.update({ put: [one], nowMs: NOW_MS })))
  const everything = [...ALL.slice(0, size), ...ALL.slice(MOST)]
  const same = Array.from({ length: 20 }, () => wallMs(() => checker.sync(everything, NOW_MS)))
  return [
    figure(`one more resource to ${size}`, 'ms', each, { atMost: 10 }),
    figure(`finding out that nothing of ${size} is new`, 'ms', same),
  ]
}

function wallMs(act: () => unknown): number {
  const started = performance.now()
  act()
  return performance.now() - started
}
