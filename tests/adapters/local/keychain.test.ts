// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keychainOf } from '#adapters/local/keys/keychain.ts'
import { makeFolder, run } from './processes.ts'

const LOCKED = 'KEY_UNAVAILABLE: the keychain does not answer: unlock it, or give a passphrase file instead'
const MISSING =
  'KEY_UNAVAILABLE: the keychain has no passphrase for this data folder: use the account that set it up'

/** The tests bring a keychain of their own: nobody's own one is written to, or asked to be unlocked. */
const noSecretService =
  process.platform === 'linux'
    ? ['dbus-run-session', 'gnome-keyring-daemon'].find((tool) => spawnSync(tool, ['--version']).error)
    : 'Secret Service'
const withSecretService = (name: string, test: () => Promise<void>) =>
  noSecretService === undefined
    ? it(name, test, 20_000)
    : it.skip(`${name} (skipped: no ${noSecretService} on this computer)`, test)

/** Runs steps of `keychain`, `passphraseFrom` and `folder` in a process, and gives what each answered. */
async function steps(
  folder: string,
  acts: readonly string[],
  where: { readonly home?: string; readonly daemon?: string; readonly bus?: string } = {},
): Promise<readonly unknown[]> {
  const program = `
    import { keychainOf } from '#adapters/local/keys/keychain.ts'
    import { passphraseFrom } from '#adapters/local/keys/passphrase.ts'
    const folder = ${JSON.stringify(folder)}
    const keychain = keychainOf(folder)
    const source = { from: 'keychain' }
    for (const act of [${acts.map((act) => `() => ${act}`).join(', ')}]) {
      const answer = await act().catch((error) => error.code + ': ' + error.message)
      console.log(JSON.stringify(answer ?? null))
    }`
  const { home = makeFolder(), daemon, bus } = where
  const environment = {
    HOME: home,
    XDG_DATA_HOME: home,
    XDG_RUNTIME_DIR: home,
    // Nobody is to be asked for a password on the screen.
    DISPLAY: '',
    WAYLAND_DISPLAY: '',
    ...(bus === undefined ? {} : { DBUS_SESSION_BUS_ADDRESS: bus }),
  }
  const start = daemon === undefined ? '' : `${daemon} >/dev/null 2>&1; `
  const session = ['dbus-run-session', '--', 'sh', '-c', `${start}exec "$@"`, 'sh']
  const running = run(program, { environment, ...(daemon === undefined ? {} : { under: session }) })
  return (await running.ended).map((line) => JSON.parse(line) as unknown)
}

const UNLOCKED = 'printf login | gnome-keyring-daemon --unlock --components=secrets'
const STILL_LOCKED = 'gnome-keyring-daemon --start --components=secrets'

describe('a passphrase in the keychain of the operating system', () => {
  withSecretService('is made when a folder is set up, kept, replaced and removed', async () => {
    const home = makeFolder()
    const folder = join(makeFolder(), 'new')
    const first = await steps(
      folder,
      [
        'keychain.get()',
        'passphraseFrom({ folder, source })',
        'passphraseFrom({ folder, source, create: true })',
      ],
      { home, daemon: UNLOCKED },
    )
    expect(first).toEqual([null, MISSING, expect.stringMatching(/^[A-Za-z0-9_-]{32}$/)])
    expect(readFileSync(join(folder, 'keychain-id'), 'utf8')).not.toContain(String(first[2]))
    // The folder may be moved.
    const moved = join(makeFolder(), 'Ärztehaus')
    renameSync(folder, moved)
    const second = await steps(
      moved,
      [
        'passphraseFrom({ folder, source })',
        'keychain.set("Pässwörd 患者")',
        'passphraseFrom({ folder, source, create: true })',
        'keychain.remove()',
        'keychain.remove()',
        'passphraseFrom({ folder, source })',
      ],
      { home, daemon: UNLOCKED },
    )
    expect(second).toEqual([first[2], null, 'Pässwörd 患者', true, false, MISSING])
    expect(existsSync(join(moved, 'keychain-id'))).toBe(false)
  })

  withSecretService('is one per folder', async () => {
    const home = makeFolder()
    const folders = [makeFolder(), makeFolder()]
    const create = 'passphraseFrom({ folder, source, create: true })'
    const made: unknown[] = []
    for (const folder of folders) made.push(...(await steps(folder, [create], { home, daemon: UNLOCKED })))
    expect(new Set(made).size).toBe(2)
    for (const [i, folder] of folders.entries())
      expect(await steps(folder, [create], { home, daemon: UNLOCKED })).toEqual([made[i]])
  })

  withSecretService('that is locked gives one clear line, and no new passphrase', async () => {
    const home = makeFolder()
    const folder = makeFolder()
    const create = 'passphraseFrom({ folder, source, create: true })'
    const [kept] = await steps(folder, [create], { home, daemon: UNLOCKED })
    const acts = [create, 'keychain.get()', 'keychain.set("x")', 'keychain.remove()']
    expect(await steps(folder, acts, { home, daemon: STILL_LOCKED })).toEqual(acts.map(() => LOCKED))
    expect(await steps(folder, [create], { home, daemon: UNLOCKED })).toEqual([kept])
  })

  const where = 'gives one clear line where nothing answers'
  const onLinux = process.platform === 'linux' ? it : it.skip
  onLinux(process.platform === 'linux' ? where : `${where} (skipped: no Secret Service)`, async () => {
    const folder = makeFolder()
    const acts = ['keychain.get()', 'passphraseFrom({ folder, source, create: true })', 'keychain.remove()']
    const answers = await steps(folder, acts, { bus: 'unix:path=/nonexistent' })
    expect(answers).toEqual([null, LOCKED, LOCKED])
  })

  it('gives one clear line where the native module is missing, which hinders nothing else', async () => {
    const program = `
      import { registerHooks } from 'node:module'
      registerHooks({
        resolve: (name, context, next) => {
          if (name.startsWith('@napi-rs/')) throw new Error('cannot find module')
          return next(name, context)
        },
      })
      const { keychainOf } = await import('#adapters/local/keys/keychain.ts')
      const { passphraseFrom } = await import('#adapters/local/keys/passphrase.ts')
      const folder = ${JSON.stringify(makeFolder())}
      console.log((await passphraseFrom({ folder, source: { from: 'file' }, create: true })).length)
      console.log(await keychainOf(folder).set('x').catch((error) => error.code + ': ' + error.message))`
    expect(await run(program).ended).toEqual([
      '32',
      'KEY_UNAVAILABLE: no keychain can be used on this kind of computer: install the optional packages, or give a passphrase file instead',
    ])
  })

  it('is not looked for under a name that is none', async () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'keychain-id'), 'torn')
    const message = 'the file keychain-id of the data folder is damaged'
    await expect(keychainOf(folder).get()).rejects.toMatchObject({ code: 'STORE_CORRUPT', message })
  })
})
