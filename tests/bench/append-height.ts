// SPDX-License-Identifier: Apache-2.0
import { countCalls } from '#adapters/around/counts.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { cpuMicros, figure, inTurn, ratios, ROUNDS, type Bench } from './measure.ts'
import { durableDeployment, inFolder, INSTITUTION } from './worlds/durable.ts'
import { insertPrepared, newChain } from './worlds/prepared-chain.ts'
import { resourcesOfSize } from './worlds/samples.ts'
import { appendRequest, sealAppends } from './worlds/sealed-appends.ts'

const LOW = 10
const TALL = 100_000
/** Appends to each chain in a round, one after the other. */
const EACH = 30
const BYTES = 1500

export const bench: Bench = {
  question: 'Does appending cost more at height 100,000 than at height 10?',
  run: () =>
    inFolder(async (folder) => {
      const counters: ReturnType<typeof countCalls>[] = []
      const world = await durableDeployment(folder, (platform) => {
        const counter = countCalls(platform)
        counters.push(counter)
        return counter.platform
      })
      const [counter] = counters
      if (!counter) throw new Error('nothing is counted')
      const connection = world.connect(INSTITUTION)
      const { instance } = world.institution(INSTITUTION)
      const contents = resourcesOfSize(EACH, BYTES)
      const chainAt = async (height: number) => {
        const blocks = world.platform.table('blocks')
        const replica = await insertPrepared(blocks, await newChain(world), instance, height - 1)
        const entries = Array.from({ length: (ROUNDS + 1) * EACH }, (_, i) => [
          { header: utf8('{}'), content: contents[i % EACH] ?? utf8(''), compartment: 'general' },
        ])
        const { bodies } = await sealAppends(connection, replica, entries)
        const calls: string[] = []
        return {
          calls,
          append: async (round: number) => {
            for (const body of bodies.slice((round + 1) * EACH, (round + 2) * EACH)) {
              counter.reset()
              const answer = await world.fetch(appendRequest(ORIGIN, body))
              if (answer.status !== 201) throw new Error(`the home answered ${await answer.text()}`)
              calls.push(namesOf(counter.counts()))
            }
          },
        }
      }
      const [low, tall] = [await chainAt(LOW), await chainAt(TALL)]
      const samples = await inTurn({ low: low.append, tall: tall.append })
      await world.platform.close()
      const [wallLow, wallTall] = [samples.low, samples.tall].map((list) =>
        list.map(({ wallMs }) => wallMs / EACH),
      )
      const [cpuLow, cpuTall] = [cpuMicros(EACH, samples.low), cpuMicros(EACH, samples.tall)]
      const kinds = new Set([...low.calls, ...tall.calls])
      const total = (calls: readonly string[]) => calls.map((names) => names.split(', ').length)
      return {
        sizes: `one 1.5 KB entry per block on the local adapter, one at a time, ${EACH} per chain and round, ${ROUNDS} rounds; calls ${[...kinds].join(' or ')}`,
        figures: [
          figure(`storage calls at height ${LOW}`, '', total(low.calls)),
          figure(`storage calls at height ${TALL}`, '', total(tall.calls)),
          figure('sets of calls that differ', '', [kinds.size - 1], { atMost: 0 }),
          figure(`time at height ${LOW}`, 'ms', wallLow ?? []),
          figure(`time at height ${TALL}`, 'ms', wallTall ?? []),
          figure('ratio of the times', '', ratios(wallTall ?? [], wallLow ?? []), { atMost: 1.3 }),
          figure('ratio of the CPU times', '', ratios(cpuTall, cpuLow), { atMost: 1.3 }),
        ],
        doesNotShow:
          'chains with large control states, which every append reads; stores whose own cost grows with what they hold.',
      }
    }),
}

/** One append's calls by name, in an order that does not depend on the order in which they were made. */
function namesOf(counts: Readonly<Record<string, number>>): string {
  const names = Object.entries(counts).flatMap(([name, count]) => Array.from({ length: count }, () => name))
  return names.toSorted((a, b) => (a < b ? -1 : 1)).join(', ')
}
