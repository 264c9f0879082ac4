// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { timestampMs, toTimestamp } from '#core/bytes/timestamp.ts'
import { parseHead, signHead, type HeadStatement } from '#core/api/head.ts'
import type { HeadAnswer } from '#core/api/answers.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { readMirrored, RESTATE_MS } from '#core/server/mirror/statement.ts'
import { deploy, entry, MIRROR_ORIGIN, mirroredScene, type Scene } from './mirrored-scene.ts'

describe('an honest mirror whose home, or whoever is between, shows it what the home stated earlier', () => {
  let scene: Scene
  let honest: Fetch
  let old: HeadAnswer
  let oldHead: HeadStatement
  const statement = async () => {
    const said = await readMirrored(scene.copy.tables.receipts, scene.record)
    return said && parseHead(said.mirrored).head
  }
  /** A run that is shown this statement of the newest block in the place of the home's. */
  const runShown = async (shown: Partial<HeadStatement>) => {
    const headKey = await scene.world.platform.signer('head')
    scene.reached.fetch = async (request) =>
      new URL(request.url).pathname === `/v1/chains/${scene.record}/head`
        ? Response.json({ ...old, head: await signHead({ ...oldHead, ...shown }, headKey) })
        : honest(request)
    const { problems } = await scene.run()
    scene.reached.fetch = honest
    return problems.map(({ what }) => what.replace(/: chain.*/, ''))
  }

  beforeAll(async () => {
    scene = await mirroredScene()
    honest = scene.reached.fetch
    await deploy(scene, 'mirror-m', 'mirror-m-1', MIRROR_ORIGIN, await scene.mirror.signer('head'))
    const a = scene.world.connect('hospital-a')
    old = await a.api.head(scene.record)
    oldHead = parseHead(old.head).head
    for (const text of ['newer', 'newest']) await a.append(scene.record, [entry(text)])
    await scene.run()
  }, 60_000)
  afterAll(() => scene.close())

  it('states nothing less than it stated, and names what it was shown', async () => {
    const before = await statement()
    expect(before?.height).toBe(oldHead.height + 2)
    scene.world.clock.now += RESTATE_MS
    expect(await runShown({})).toEqual(['rule head-time'])
    expect(await runShown({ time: toTimestamp(scene.world.clock.now) })).toEqual(['rule rolled-back'])
    expect(await statement()).toEqual(before)
    expect(await scene.run()).toMatchObject({ stated: 1, problems: [] })
    expect((await statement())?.height).toBe(oldHead.height + 2)
  })

  it('states nothing at a time before that of its last statement, when its clock went back', async () => {
    const before = await statement()
    await scene.world.connect('hospital-a').append(scene.record, [entry('while the clock is right')])
    scene.world.clock.now -= 60_000
    expect(await scene.run()).toMatchObject({ stated: 0, problems: [{ code: 'CLOCK_SKEW' }] })
    expect(await statement()).toEqual(before)
    scene.world.clock.now = timestampMs(before?.time ?? toTimestamp(0))
    expect(await scene.run()).toMatchObject({ stated: 1, problems: [] })
  })
})
