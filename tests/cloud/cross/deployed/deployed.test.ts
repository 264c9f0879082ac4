// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { join } from 'node:path'
import { playStory, type StoryReport } from '#cli/demo/story.ts'
import { checkMirrored } from '#core/client/mirrored/check-mirrored.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import type { OpenBridge } from '#cli/open/bridge.ts'
import { AUDITED_PARTITION } from '#core/server/audit/log/audited-row.ts'
import { ask, ampere, tell } from '../../aws/deploy/commands.ts'
import { describeOn } from '../../aws/stack.ts'
import { actingFor } from '../../azure/deploy/bridge/acting.ts'
import { ehrAt, keySetIn } from '../../bridge-client.ts'
import { CITY, passphraseOf, twoClouds, WARD, type TwoClouds } from './two-clouds.ts'

describeOn('MiniStack', 'a home deployed to AWS and one deployed to Azure', () => {
  const made: { both?: TwoClouds; open?: readonly [OpenBridge, OpenBridge]; story?: StoryReport } = {}
  const both = (): TwoClouds => {
    if (!made.both) throw new Error('they were not deployed')
    return made.both
  }
  const story = (): StoryReport => {
    if (!made.story) throw new Error('nothing was imported')
    return made.story
  }
  const hospital = (): OpenBridge => {
    if (!made.open) throw new Error('nobody acts')
    return made.open[0]
  }
  /** Has the schedules of the city's roles call them until something holds: nothing else wakes its sequencer here. */
  const until = async (holds: () => Promise<boolean>) => {
    for (let times = 0; times < 60; times++) {
      await both().on.stage(CITY).published.timer('sequencer')
      if (await holds()) return
      await new Promise<void>((resolve) => setTimeout(resolve, 500))
    }
    throw new Error('it does not come to hold')
  }

  beforeAll(async () => {
    made.both = await twoClouds()
    const { town } = made.both
    made.open = [
      await actingFor(town.folder, 'hospital-a', ask),
      await actingFor(town.folder, 'hospital-b', ask),
    ]
    made.story = await playStory(town.folder, passphraseOf(town), made.open, () => {})
  }, 1_800_000)
  afterAll(async () => {
    for (const open of made.open ?? []) await open.close()
    await made.both?.close()
  })

  it('take the samples of two hospitals, which the witness in the other cloud cosigns', async () => {
    expect(story().imports.map(({ report }) => report.filed.length)).toEqual([196, 29, 2])
    const { connection } = hospital()
    await until(async () => {
      const view = await readReceipts(connection, await connection.replica(story().record))
      return view?.statuses.every((status) => status === 'witnessed') === true
    })
  }, 200_000)

  it('export a record that verifies offline, with what was erased in it', async () => {
    const { data, town } = both()
    const file = join(data, 'record.ampere')
    await ampere(data, 'chain', 'export', story().record, file, '--cloud', town.name)
    const verified = await ampere(data, 'verify', file, '--cloud', town.name)
    expect(verified).toMatchObject({ ok: true, pinned: true, problems: [] })
    expect(JSON.stringify(verified)).toContain('witnessed')
    expect(JSON.stringify(verified)).toMatch(/eras(?:ed|ing)/)
  }, 120_000)

  it('mirror each other’s records, and audit their logs when their schedules say so', async () => {
    const { data, town, city, on, deployAzure } = both()
    const tells = (...args: string[]) => tell(data, ...args)
    const asked = await tells('mirror', 'join', town.origin, '--cloud', city.name, '--yes')
    expect(asked).toMatchObject({ exit: 1, said: { code: 'FORBIDDEN' } })
    await ampere(data, 'mirror', 'admit', city.origin, '--cloud', town.name, '--yes')
    await ampere(data, 'mirror', 'join', town.origin, '--cloud', city.name, '--yes')
    await ampere(data, 'grant', story().record, 'city-hospital', '--hold', '--cloud', town.name)
    await deployAzure(CITY)
    const { published, stack } = on.stage(CITY)
    const { connection } = hospital()
    await until(async () => {
      await published.timer('mirror')
      const [said] = await checkMirrored(connection, await connection.replica(story().record))
      return said?.origin === city.origin && said.says === 'mirrored'
    })
    const platform = stack.open({})
    const audited = async () => (await platform.table('checkpoints').range(AUDITED_PARTITION)).length
    const before = await audited()
    await published.timer('auditor')
    expect(await audited()).toBeGreaterThan(before)
    await platform.close()
  }, 300_000)

  it('take what an instance signs that was enrolled, until it is revoked', async () => {
    const { data, city } = both()
    const as = ['--cloud', city.name, '--as', 'city-clinic']
    const enrolled = await ampere(data, 'instance', 'enrol', ...as)
    const bundle = join(process.cwd(), 'demo', 'hospital-a.json')
    for (const name of ['city-clinic-1', 'city-clinic-2'])
      await ampere(data, 'instance', 'revoke', name, '--confirm', name, ...as)
    expect(await ampere(data, 'import', bundle, ...as)).toMatchObject({ filed: 196 })
    const name = String(enrolled['instance'])
    await ampere(data, 'instance', 'revoke', name, '--confirm', name, ...as)
    expect(await tell(data, 'import', bundle, ...as)).toMatchObject({
      exit: 1,
      said: { code: 'KEY_UNAVAILABLE' },
    })
  }, 200_000)

  it('have a bridge alone in the other cloud, which files at the home that it uses', async () => {
    const { data, town, deployAzure } = both()
    const args = ['--role', 'bridge', '--home', town.name, '--institution', 'hospital-b=Hospital B']
    const { origin, bridge } = await deployAzure(WARD, ...args)
    expect(bridge).toMatchObject({ institution: 'hospital-b', instance: `hospital-b-azure-${WARD}` })
    const scopes = ['--scopes', 'system/*.cruds', '--cloud', `azure-${WARD}`]
    await ampere(data, 'client', 'add', 'ehr', '--jwks', keySetIn(data), ...scopes)
    const ehr = ehrAt((request) => fetch(request), String(origin))
    await ehr.files('p1', 'o1')
    expect(await ehr.reads('Observation/o1')).toMatchObject({ id: 'o1' })
    // It has taken over what was imported here for its institution before.
    const everything = await ehr.reads(`Patient/${story().patient}/$everything?_count=5`)
    expect(everything).toMatchObject({ resourceType: 'Bundle' })
    const { items } = (await ampere(data, 'chain', 'list', '--cloud', `azure-${WARD}`)) as { items: object[] }
    expect(items).toHaveLength(2)
  }, 300_000)
})
