// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const modules = join(folder, 'node_modules')

const BLOB = {
  program: 'azurite/dist/src/blob/main.js',
  args: [
    '--blobHost',
    '127.0.0.1',
    '--blobPort',
    '0',
    '--inMemoryPersistence',
    '--skipApiVersionCheck',
    '--disableTelemetry',
  ],
  says: /successfully listens on (https?:\S+)/,
}

/** What is started, and the line in which each says where it listens. */
const EMULATORS = [
  { name: 'AMPERE_AZURE_BLOB', ...BLOB },
  {
    name: 'AMPERE_AZURE_COSMOS',
    program: '@vercel/cosmosdb-server/lib/cli.js',
    args: ['--no-ssl', '--host', '127.0.0.1', '-p', '0'],
    says: /connections at (127\.0\.0\.1:\d+)/,
  },
]

/** Jest's global setup: one of each emulator for a run, whose addresses the tests find in the environment. */
// oxlint-disable-next-line import/no-default-export
export default async function start() {
  installOnce()
  const children = []
  globalThis.ampereEmulators = children
  process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')))
  for (const emulator of EMULATORS) process.env[emulator.name] = await run(emulator, children)
  await startWithIdentities(children)
}

/** A second Azurite, which takes tokens: it does so by TLS alone. */
async function startWithIdentities(children) {
  const at = mkdtempSync(join(tmpdir(), 'ampere-certificate-'))
  const [cert, key] = [join(at, 'cert.pem'), join(at, 'key.pem')]
  const how = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1'
  const out = ['-addext', 'subjectAltName=IP:127.0.0.1', '-out', cert, '-keyout', key]
  const { status } = spawnSync('openssl', [...how.split(' '), ...out], { stdio: 'ignore' })
  if (status !== 0) {
    process.env.AMPERE_AZURE_IDENTITY_MISSING = 'a certificate is made by openssl, which is not here'
    return
  }
  const args = [...BLOB.args, '--oauth', 'basic', '--cert', cert, '--key', key]
  process.env.AMPERE_AZURE_IDENTITY = await run({ ...BLOB, args }, children)
  process.env.AMPERE_AZURE_IDENTITY_CA = cert
}

/** Installs what the lock file names, unless it is there already. */
function installOnce() {
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')
  const stamp = join(modules, '.ampere-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  process.stderr.write('Installing the emulators (once, about a minute) ...\n')
  const command = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const args = ['ci', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error']
  const { status } = spawnSync(command, args, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error('the emulators could not be installed')
  writeFileSync(stamp, lock)
}

function run({ program, args, says }, children) {
  const child = spawn(process.execPath, ['--disable-warning=DEP0005', join(modules, program), ...args], {
    cwd: mkdtempSync(join(tmpdir(), 'ampere-emulator-')),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (part) => {
      said += String(part)
      const heard = says.exec(said)
      if (!heard) return
      const where = heard[1]
      resolve(where.startsWith('http') ? where : `http://${where}`)
      // Both write of every request; nobody reads that.
      said = ''
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}: ${said}`)))
  })
}
