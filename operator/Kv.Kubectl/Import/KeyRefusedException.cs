namespace Kv.Kubectl.Import;

/// <summary>A key cannot be copied, however often it is tried. What is not known to be so is a <see cref="CliException"/>.</summary>
internal sealed class KeyRefusedException(string message, Exception? cause = null) : Exception(message, cause);
