// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { figure, inTurn, ratios, ROUNDS, type Bench, type Sample } from './measure.ts'
import { durableDeployment, inFolder, INSTITUTION, localPlatform } from './worlds/durable.ts'
import { largeBundle } from './worlds/samples.ts'

const RESOURCES = 2_000
/** The most that a page holds. */
const PAGE = 1_000

export const bench: Bench = {
  question: 'How long does $everything of 2,000 resources take at a bridge that has the record in memory?',
  run: () =>
    inFolder(async (folder) => {
      const world = await durableDeployment(join(folder, 'home'))
      const own = localPlatform(join(folder, 'bridge'))
      const bridge = testBridge(world, INSTITUTION, { table: own.table('bridge') })
      const { bytes, patientId } = largeBundle(RESOURCES)
      await bridge.bridge.import(bytes, 'fhir+json')
      const pages = await readAll(bridge, patientId)
      const bundles = pages.map((text) => JSON.parse(text) as { entry: readonly object[] })
      const count = bundles.reduce((sum, { entry }) => sum + entry.length, 0)
      if (count !== RESOURCES) throw new Error(`${count} resources were served`)
      const samples = await inTurn({
        ours: () => readAll(bridge, patientId),
        floor: () => Promise.all(bundles.map((bundle) => new Response(JSON.stringify(bundle)).text())),
        one: async () => bridge.app.request(`/fhir/Patient/${patientId}`),
      })
      await own.close()
      await world.platform.close()
      const wall = (list: readonly Sample[]) => list.map(({ wallMs }) => wallMs)
      const cpu = (list: readonly Sample[]) => list.map(({ cpuMs }) => cpuMs)
      const size = pages.reduce((sum, text) => sum + text.length, 0)
      return {
        sizes: `${RESOURCES} resources copied from a Synthea bundle, ${Math.round(size / 1024)} KiB in ${pages.length} pages of ${PAGE}; bridge and home in one process on the local adapter; ${ROUNDS} rounds`,
        figures: [
          figure('$everything, all pages', 'ms', wall(samples.ours), { atMost: 150 }),
          figure('floor: writing the same JSON from objects', 'ms', wall(samples.floor)),
          figure('times the floor', '', ratios(wall(samples.ours), wall(samples.floor))),
          figure('CPU time', 'ms', cpu(samples.ours)),
          figure('CPU time, floor', 'ms', cpu(samples.floor)),
          figure('reading one resource of it', 'ms', wall(samples.one)),
        ],
        doesNotShow:
          'the first read after a start, which verifies and opens the whole record; a home across a network, which each page asks for news.',
      }
    }),
}

/** Follows the pages to the end, as a client does. */
async function readAll(bridge: BridgeWorld, patientId: string): Promise<readonly string[]> {
  const pages: string[] = []
  let next: string | undefined = `/fhir/Patient/${patientId}/$everything?_count=${PAGE}`
  while (next !== undefined) {
    const answer = await bridge.app.request(next)
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`the bridge answered ${answer.status}`)
    pages.push(text)
    // The link stands at the head of the bundle; parsing all of it would be the client's time.
    const head = text.slice(0, text.indexOf('"entry"'))
    next = /"relation":"next","url":"([^"]+)"/.exec(head)?.[1]
  }
  return pages
}
