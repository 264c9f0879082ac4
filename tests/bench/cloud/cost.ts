// SPDX-License-Identifier: Apache-2.0
import { blockCost } from '#infra/prices/block-cost.ts'
import { idleCost } from '#infra/prices/idle-cost.ts'
import { pricesOf, type Cost } from '#infra/prices/prices.ts'
import { measureCalls } from '../capacity/measured.ts'
import { figure, type Bench, type Figure, type Goal } from '../measure.ts'
import { blockFacts, idleFacts } from './block-facts.ts'

const PROVIDERS = ['aws', 'azure'] as const
const BLOCKS_PER_RUN = [10, 1] as const
const BLOCK_GOAL = 0.05
const IDLE_GOAL = 10

export const bench: Bench = {
  question: 'What do 1,000 blocks cost on each cloud, and what a month in which nobody uses it?',
  run: async () => {
    const measured = await measureCalls()
    const figures = PROVIDERS.flatMap((provider): Figure[] => {
      const facts = blockFacts(provider, measured)
      const idle = idleCost(provider, idleFacts(provider))
      return [
        ...BLOCKS_PER_RUN.flatMap((blocksPerRun) => {
          const { usd, lines } = blockCost(provider, facts, blocksPerRun)
          const name = `${provider}: 1,000 blocks, ${blocksPerRun} in a run`
          return [money(name, usd, blocksPerRun >= 10 ? { atMost: BLOCK_GOAL } : null), ...linesOf(lines)]
        }),
        money(`${provider}: those stored, a month`, blockCost(provider, facts, 10).storedUsd),
        money(`${provider}: idle, a month, without keys`, idle.usd, { atMost: IDLE_GOAL }),
        money(`${provider}: the same beyond free amounts`, idle.beyondFreeUsd, { atMost: IDLE_GOAL }),
        ...linesOf(idle.lines),
      ]
    })
    const found = PROVIDERS.map((provider) => pricesOf(provider)).map(
      ({ region, found: day }) => `${region}, looked up ${day}`,
    )
    return {
      sizes: `counts on the memory platform of an append of one entry of 1.5 KB and of runs of the sequencer; prices of ${found.join('; ')}; * a price that was not verified`,
      figures,
      doesNotShow:
        'a bill: nothing of this ran on a cloud. How long functions run is assumed (docs/COST.md). Not in it: witnesses, receipts and other reads, data sent to the internet, blocks that are refused, rotations of keys, support, tax; what larger accounts get off.',
    }
  },
}

/** More digits than other figures have: they are small. */
function money(name: string, usd: number, goal: Goal | null = null): Figure {
  return figure(name, 'USD', [usd], goal)
}

function linesOf(lines: readonly Cost[]): Figure[] {
  return lines
    .toSorted((a, b) => b.usd - a.usd)
    .map(({ what, usd, isVerified }) => figure(`    ${what}${isVerified ? '' : ' *'}`, 'USD', [usd]))
}
