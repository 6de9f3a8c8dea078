import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where the KV cache lies if nobody says otherwise: below the place that the system has for caches of this user. */
export function defaultCacheFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  return join(userCaches(environment, platform), "cria");
}

function userCaches(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === "darwin") return join(homedir(), "Library", "Caches");
  if (platform === "win32") return environment.LOCALAPPDATA || join(homedir(), "AppData", "Local");
  // The XDG Base Directory Specification has relative paths ignored.
  const given = environment.XDG_CACHE_HOME ?? "";
  return isAbsolute(given) ? given : join(homedir(), ".cache");
}
