// SPDX-License-Identifier: Apache-2.0
import { SERVICE } from '../bridge/alone.ts'
import { onLambdaAs } from '../host/cloud/aws.ts'
import { parseBridgeConfig } from '../host/cloud/bridge-config.ts'
import { openChecking } from './alone.ts'

export const handler = onLambdaAs(parseBridgeConfig, { wakes: openChecking, service: SERVICE })
