using Google.Protobuf;
using Kv.Kubectl.Connections;

namespace Kv.Kubectl.Commands;

/// <summary>A value from standard input, whole and within a bound.</summary>
internal static class StandardInput
{
    /// <summary>What fits a message to a node; nodes refuse much smaller objects.</summary>
    private const int MaxBytes = 60 * 1024 * 1024;

    /// <summary>Finds the cluster first: where there is none, nobody types in vain.</summary>
    public static async Task<ByteString> ReadAsync(CommandSession session, NodeCaller caller, CancellationToken cancel)
    {
        await caller.OpenAsync(cancel);
        var input = session.Terminal.Input;
        using var bytes = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await input.ReadAsync(buffer, cancel)) > 0)
        {
            if (bytes.Length + read > MaxBytes)
            {
                throw new CliException(ExitCode.Failed, $"standard input has more than {MaxBytes} bytes");
            }

            bytes.Write(buffer, 0, read);
        }

        return UnsafeByteOperations.UnsafeWrap(bytes.GetBuffer().AsMemory(0, (int)bytes.Length));
    }
}
