namespace Kv.Kubectl;

/// <summary>Ends a command with a text for people and a code for scripts.</summary>
internal class CliException(ExitCode code, string message, Exception? cause = null) : Exception(message, cause)
{
    public ExitCode Code { get; } = code;

    public static CliException Usage(string message) => new(ExitCode.Usage, message);
}
