namespace Kv.Kubectl.Import;

/// <summary>Source or target turns away who asks, or is not believed to be it (TLS): no other key would fare better, so it ends the import.</summary>
internal sealed class AccessException(string message, Exception? cause = null) : CliException(ExitCode.Failed, message, cause);
