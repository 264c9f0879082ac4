// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cloudFolder, readCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { pinnedPolicy } from '#cli/open/policy.ts'
import { parseErased } from '#core/api/erased.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { timestampMs } from '#core/bytes/timestamp.ts'
import type { Signer } from '#core/ports/keys.ts'
import { jsonOf } from '#tests/cli/harness.ts'
import { fakeCloud, runOn } from './fake-cloud.ts'
import { entry, erase, migrateScene, PASSPHRASE, recordOf, withHome } from './scene.ts'

const textOf = (content: Uint8Array) => new TextDecoder().decode(content)

describe('a home in a cloud that is backed up', () => {
  let scene: Awaited<ReturnType<typeof migrateScene>>
  let record: ChainId
  let device: Signer
  const { cloud, state } = fakeCloud()
  const ampere = (...args: string[]) => {
    const common = ['--data', scene.old, '--passphrase-file', join(scene.root, 'passphrase')]
    return runOn({ cloud }, args.concat(common, '--no-input', '--json'))
  }
  const folder = () => cloudFolder(scene.old, 'aws', 'prod')
  const to = (name: string) => join(scene.root, name)
  const backUp = (name: string, ...more: string[]) =>
    ampere('backup', '--to', to(name), '--cloud', 'aws-prod', ...more)
  const connected = async () => {
    const settings = readSettings(folder())
    if (!settings) throw new Error('settings are expected')
    const hospital = await openInstitution(folder(), 'hospital-a', PASSPHRASE)
    const policy = pinnedPolicy(folder(), settings)
    return connectInstitution(hospital, settings, cloud.reach(settings.origin), { policy })
  }
  /** Erases what an entry says. @returns for how many days backups may have it, as the home states */
  const erased = async (text: string) => {
    const connection = await connected()
    await erase({ connection }, record, device, text)
    await state.home?.erase('schedule')
    const { erased: what } = parseErased((await connection.api.erased(record)).at(-1) ?? '')
    return (timestampMs(what.backupsExpire) - timestampMs(what.at)) / 86_400_000
  }

  beforeAll(async () => {
    scene = await migrateScene(['hospital-a', 'hospital-b'])
    const made = await withHome(scene.old, (open) => recordOf(open, ['kept', 'early', 'late'], 1))
    ;({ record, device } = made)
    const moved = await ampere('migrate', '--to', 'aws-prod', '--region', 'eu-central-1')
    expect(moved).toMatchObject({ code: 0, err: '' })
    expect(await erased('early')).toBe(7)
  }, 60_000)
  afterAll(() => rmSync(scene.root, { recursive: true }))

  it('is read, and nothing else, and the backup is to be gone when the provider forgets what was erased, too', async () => {
    const done = await backUp('first')
    expect(done).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(done)).toMatchObject({ ok: true, chains: 2, resumed: false })
    const { time, expires } = jsonOf(done)
    const days = (Date.parse(String(expires)) - Date.parse(String(time))) / 86_400_000
    expect(days).toBeCloseTo(7, 3)
    expect(jsonOf(await backUp('first'))).toEqual({ ...jsonOf(done), resumed: true })
    expect(state.steps.filter((step) => step === 'read')).toHaveLength(2)
    expect(state.mayMove).toBe(false)
  })

  it('is kept longer only once its functions state that, also of what they erase later', async () => {
    const refused = await backUp('long', '--keep-days', '30')
    expect(refused).toMatchObject({
      code: 1,
      said: expect.stringMatching(
        /CONFIGURATION.*for 7 days, and not for 30.*npx ampere deploy aws .*--stage prod/,
      ),
    })
    expect(existsSync(to('long'))).toBe(false)
    expect(await ampere('deploy', 'aws', '--stage', 'prod')).toMatchObject({ code: 0 })
    expect(readCloudDeployment(folder())?.backups).toEqual({ days: 30, stated: 30 })
    expect(await backUp('long')).toMatchObject({ code: 0, err: '' })
    // A shorter one does not shorten what the home states: the longer one is there still.
    expect(await backUp('short', '--keep-days', '1')).toMatchObject({ code: 0 })
    expect(readCloudDeployment(folder())?.backups).toEqual({ days: 30, stated: 30 })
    expect(await erased('late')).toBe(30)
  }, 60_000)

  it('is tried by a drill: what was erased since is erased, all else is the same, and nothing is kept', async () => {
    await (await connected()).append(record, [entry('since')])
    const before = readdirSync(join(scene.root)).toSorted()
    const tried = await ampere('restore', '--from', to('first'), '--drill', '--cloud', 'aws-prod')
    expect(tried).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(tried)).toMatchObject({
      ok: true,
      erasures: 2,
      findings: [],
      compared: { chains: 2, differences: [], unlisted: 0, erased: 2 },
    })
    expect(readdirSync(join(scene.root)).toSorted()).toEqual(before)
  }, 60_000)

  it('is not restored in place, as its keys went with its stores, and not moved from a backup while it answers', async () => {
    const restored = await ampere('restore', '--from', to('first'), '--cloud', 'aws-prod')
    expect(restored).toMatchObject({
      code: 1,
      said: expect.stringMatching(/UNSUPPORTED.*npx ampere migrate .*--from/),
    })
    const moved = await ampere('migrate', '--from', to('first'), '--cloud', 'aws-prod', '--to', to('new'))
    expect(moved).toMatchObject({ code: 1, said: expect.stringMatching(/ALREADY_EXISTS.*aws-prod answers/) })
    const meant = await ampere('migrate', '--from', 'aws-prod', '--cloud', 'aws-prod', '--to', to('new'))
    expect(meant).toMatchObject({ code: 2, said: expect.stringContaining('whose backup') })
    expect(existsSync(to('new'))).toBe(false)
  })

  it('is moved from it once it is gone, with all that the newest backup has', async () => {
    expect(await backUp('last')).toMatchObject({ code: 0 })
    state.home = null
    const args = ['migrate', '--from', to('first'), '--newer', to('last'), '--cloud', 'aws-prod']
    const moved = await ampere(...args, '--to', to('new'), '--port', '19996')
    expect(moved).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(moved)).toMatchObject({
      deployment: 'home-3',
      // Two of them are the record by which each deployment is tried.
      compared: { chains: 4, differences: [], unlisted: 0 },
    })
    await withHome(to('new'), async ({ connection }) => {
      await connection.append(record, [entry('after')])
      const { opened, closed } = await connection.read(record)
      expect(opened.map(({ content }) => textOf(content))).toEqual(['kept', 'since', 'after'])
      expect(closed).toHaveLength(2)
    })
    const again = await ampere('deploy', 'aws', '--stage', 'prod')
    expect(again).toMatchObject({ code: 1, said: expect.stringContaining('CHAIN_MOVED') })
  }, 60_000)
})
