// SPDX-License-Identifier: Apache-2.0
import { parseCollector, parseInstitution, parsePort } from '../program/arguments.ts'
import type { CommandGroup, FlagSpec } from '../program/command.ts'

/** Flags of acts that cannot be undone. `what` is what has to be named. */
export function graveFlags(what: string): readonly FlagSpec[] {
  return [
    { flags: '--confirm <name>', about: `${what}, instead of typing it when asked` },
    { flags: '--dry-run', about: 'say what would be done, and do nothing' },
  ]
}

export const DEPLOYMENT: CommandGroup = {
  title: 'This computer',
  commands: [
    {
      name: 'init',
      summary: 'Set up a deployment for real use on this computer',
      about:
        'Makes the keys of each institution, a registry that all of them found, and the settings. Asks for what is missing. Nothing is ever overwritten.',
      flags: [
        {
          flags: '--institution <id=name>',
          about: 'an institution of this computer; may be given several times, the first runs the home',
          parse: parseInstitution,
        },
        {
          flags: '--port <port>',
          about: 'port on 127.0.0.1 (default: 7310, else the next free one), for ever',
          parse: parsePort,
        },
        {
          flags: '--passphrase <source>',
          about:
            'where the passphrase of the key files comes from (default: generated; --passphrase-file names a file)',
          choices: ['generated', 'keychain', 'prompt'],
        },
      ],
      examples: [
        { does: 'be asked for everything', run: 'npx ampere init' },
        {
          does: 'without questions',
          run: 'npx ampere init --institution st-marys="St Mary\'s" --passphrase-file /etc/ampere/passphrase',
        },
      ],
      json: {
        ok: 'true',
        folder: 'the data folder',
        origin: 'where it will be served',
        registry: 'id of the registry, to be pinned by whoever verifies exports',
        institutions: 'id and name of each',
        passphrase: 'generated, keychain, file or prompt',
      },
      load: async () => (await import('../commands/deployment/init.ts')).init,
    },
    {
      name: 'start',
      summary: 'Serve the home and the bridges on this computer',
      about:
        'Listens on 127.0.0.1 until Ctrl+C. The demo verifies itself and says what is in it; a second process, which ends with it, is its witness: on the same machine that demonstrates, and does not protect.',
      flags: [
        { flags: '--demo', about: 'on first use, make the demo: two hospitals, a clinic, one patient' },
        {
          flags: '--port <port>',
          about: 'port for a new demo (default: 7310, else the next free one)',
          parse: parsePort,
        },
        { flags: '--log', about: 'structured log lines on standard error; none can hold medical data' },
        {
          flags: '--otlp <url>',
          about: 'send traces and metrics to this OpenTelemetry collector; none can hold medical data',
          parse: parseCollector,
        },
        {
          flags: '--require-login',
          about:
            'demand an access token of whoever asks a bridge, also while no client is registered (ampere client add)',
        },
        { flags: '--once', about: 'set up and report, then end' },
        { flags: '--no-witness', about: 'start no second process as the witness of the demo' },
      ],
      examples: [
        { does: 'the demo, as npm start does', run: 'npx ampere start --demo' },
        { does: 'what init has set up', run: 'npx ampere start --data /srv/ampere --log' },
      ],
      json: {
        ok: 'false when verifying found something; of the demo also when the log does not go on',
        version: 'of this software',
        origin: 'where it is served',
        institutions: 'their ids',
        records: 'how many are known (not of the demo)',
        patients: '1 (of the demo, as all that follow)',
        record: 'id of the record',
        patient: 'its local id',
        resources: 'how many, null when the record cannot be read',
        blocks: 'how many were verified',
        entries: 'how many are in them',
        erased: 'how many of them are erased',
        logged:
          'how many blocks have a receipt (missing, as the two that follow, when verifying found something)',
        witnessed: 'how many of those are witnessed',
        witness:
          'the second process of the demo: name of its keys, url, failed (why it does not serve, or null) and mark; null with --no-witness',
        findings: 'severity, rule and title of each',
        problems: 'what verifying found',
      },
      load: async () => (await import('../commands/deployment/start.ts')).start,
    },
    {
      name: 'doctor',
      summary: 'Look for what is wrong with this computer and the data folder',
      about: 'Looks, and changes nothing. Each thing that is wrong comes with what to do.',
      examples: [{ does: 'is everything in order?', run: 'npx ampere doctor' }],
      json: {
        ok: 'false when something is wrong',
        folder: 'the data folder',
        origin: 'where the deployment is served, or null',
        registry: 'id of its registry, or null',
        checks: 'name, status (ok, wrong, note), says and next of each',
      },
      exits: { 1: 'something is wrong' },
      load: async () => (await import('../commands/deployment/doctor/doctor.ts')).doctor,
    },
    {
      name: 'demo reset',
      summary: 'Remove the demo data',
      about: 'Touches nothing but the demo, and never a real deployment.',
      flags: graveFlags('the word demo'),
      examples: [
        { does: 'begin anew', run: 'npx ampere demo reset --confirm demo && npm start' },
        { does: 'what would go?', run: 'npx ampere demo reset --dry-run' },
      ],
      json: {
        ok: 'true',
        removed: 'whether anything was removed',
        dryRun: 'whether --dry-run was given',
        folder: 'the data folder',
      },
      load: async () => (await import('../demo/reset.ts')).resetDemo,
    },
    {
      name: 'demo tamper',
      summary: "Damage the demo's stored data, to see it found",
      about: 'Writes past every check, as somebody with access to the disk could.',
      flags: [
        {
          flags: '--what <part>',
          about: 'what to damage (default: key-row)',
          choices: ['key-row', 'block', 'log'],
          default: 'key-row',
        },
      ],
      examples: [
        { does: 'damage, and see what is found', run: 'npx ampere demo tamper && npx ampere verify --all' },
      ],
      json: {
        ok: 'true',
        record: 'the damaged record',
        what: 'key-row, block or log',
        where: 'path of the damaged entry bundle (with log)',
        height: 'of the damaged block; null with log',
      },
      load: async () => (await import('../demo/tamper.ts')).tamper,
    },
  ],
}
