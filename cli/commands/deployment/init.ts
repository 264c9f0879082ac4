// SPDX-License-Identifier: Apache-2.0
import {
  makePassphrase,
  passphraseSourceOf,
  readPassphrase,
  type PassphraseOptions,
} from '../../deployment/passphrase.ts'
import { choosePort } from '../../deployment/port.ts'
import { checkFree, setUp } from '../../deployment/set-up.ts'
import { dataFolder, type PassphraseSource } from '../../deployment/settings.ts'
import { institutionIdProblem, type NamedInstitution } from '../../program/arguments.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import { EXIT, type Common, type Screen } from '../../terminal/screen.ts'

interface InitOptions extends Common, PassphraseOptions {
  readonly institution?: readonly NamedInstitution[]
  readonly port?: number
}

/** Sets up a real deployment on this machine: keys, registry, settings. Never overwrites. */
export async function init(call: Call<InitOptions>): Promise<number> {
  const { screen, options } = call
  const folder = dataFolder(options.data, screen.terminal.env)
  checkFree(folder)
  const institutions = options.institution ?? (await askInstitutions(screen))
  checkDistinct(institutions)
  const passphrase = passphraseSourceOf(options)
  const port = await choosePort(options.port)
  screen.stopping.keeps(() => 'Nothing was set up: what was begun is removed by the next try.')
  const what = { origin: `http://127.0.0.1:${port}`, institutions, demo: false, passphrase }
  const settings = await setUp(folder, what, (place) =>
    options.passphraseFile === '-'
      ? readPassphrase(place, passphrase, options, screen)
      : makePassphrase(place, passphrase, screen),
  )
  const { registry, origin } = settings
  screen.print({ ok: true, folder, origin, registry, institutions, passphrase: passphrase.kind }, [
    `Set up in ${folder}: ${institutions.map(({ id }) => id).join(', ')}`,
    `  Registry    ${registry}`,
    `  Passphrase  ${whereIs(passphrase)}`,
    '  Each institution has a recovery key in its key file: it can replace the root key, so keep a copy of the folder offline.',
    'Next: npx ampere start',
  ])
  return EXIT.ok
}

async function askInstitutions(screen: Screen): Promise<readonly NamedInstitution[]> {
  const flag = '--institution ID=NAME'
  const institutions: NamedInstitution[] = []
  for (;;) {
    const message =
      institutions.length === 0
        ? 'Id of the institution, for example st-marys'
        : 'Id of another one (nothing: no more)'
    const check = (text: string) =>
      text === '' && institutions.length > 0 ? undefined : institutionIdProblem(text)
    const id = await screen.ask({ message, flag, check })
    if (id === '') return institutions
    const name = await screen.ask({ message: 'Its name', flag, suggestion: id })
    institutions.push({ id, name })
  }
}

function checkDistinct(institutions: readonly NamedInstitution[]): void {
  const twice = institutions.find(({ id }, i) => institutions.findIndex((other) => other.id === id) < i)
  if (twice) throw usage(`the institution ${twice.id} is given twice`)
}

function whereIs(source: PassphraseSource): string {
  switch (source.kind) {
    case 'generated':
      return 'generated, in the file passphrase of the folder: it protects only copies that lack this file'
    case 'file':
      return source.path
    case 'keychain':
      return "generated, in this account's keychain: a copy of the folder opens only with the passphrase, which is there"
    case 'prompt':
      return 'kept nowhere: it is asked for each time. Without it nothing opens'
  }
}
