// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { checkRecord } from '#core/consistency/check.ts'
import { recordItems } from '#core/bridge/serve/record-items.ts'
import { knowledge, testBridge } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'

const FILE = new URL(
  '../samples/synthea-r4/Janine_Purdy_2faebad1-a5a5-45c5-b19c-a8f8cc5b55e1.json',
  import.meta.url,
)
const ROUNDS = 5

/** How fast is a Synthea bundle imported (in memory), what are its parts, and how fast is it served again? */
export async function benchImport(): Promise<string[]> {
  const bytes = readFileSync(FILE)
  const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
  const warm = await world.bridge.import(bytes, 'fhir+json')
  const count = warm.filed.length
  let [importing, reading] = [0, 0]
  for (let round = 0; round < ROUNDS; round++) {
    const fresh = testBridge(await testDeployment(['hospital-a'], { seed: round + 11 }), 'hospital-a')
    importing += await time(() => fresh.bridge.import(bytes, 'fhir+json'))
    reading += await time(async () => world.bridge.intake(bytes, 'fhir+json'))
  }
  const { projection } = await world.bridge.record(warm.filed[0]?.patientId ?? '')
  const checking = await time(async () => checkRecord(recordItems(projection), knowledge, Date.now()))
  const path = `/fhir/Patient/${warm.filed[0]?.patientId ?? ''}/$everything?_count=1000`
  await world.app.request(path)
  const serving = await time(async () => (await world.app.request(path)).text())
  const rate = (ms: number) => Math.round(count / (ms / 1000))
  return [
    `import ${count} resources (read, validate, label, seal, append, read back, check): ${rate(importing / ROUNDS)}/s (goal 1500)`,
    `  of it reading, validating and labelling ${rate(reading / ROUNDS)}/s, checking ${rate(checking)}/s`,
    `$everything of ${count} resources, warm: ${serving.toFixed(0)} ms`,
  ]
}

async function time(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await act()
  return performance.now() - started
}
