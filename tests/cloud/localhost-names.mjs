// SPDX-License-Identifier: Apache-2.0
import dns from 'node:dns'

/**
 * Names below localhost are of this computer (RFC 6761 section 6.3), as the HTTP APIs of an emulator have them, and not every
 * computer's resolver knows it. Loaded with `--import` by processes that ask them.
 */
const { lookup } = dns
dns.lookup = (name, ...given) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...given)
