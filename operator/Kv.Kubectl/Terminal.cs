using System.Text;

namespace Kv.Kubectl;

/// <summary>The three streams of a command. Values go out as bytes, everything else as UTF-8 text.</summary>
internal sealed class Terminal(Stream input, Stream output, TextWriter error, bool isInteractive)
{
    /// <summary>A person reads <see cref="Output"/>; else it is a file or a pipe.</summary>
    public bool IsInteractive { get; } = isInteractive;

    public Stream Input { get; } = input;

    /// <summary>For values, untouched. Flushed with <see cref="Text"/> before each write, so that the two keep their order.</summary>
    public Stream Output { get; } = output;

    public TextWriter Text { get; } = new StreamWriter(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };

    public TextWriter Error { get; } = error;

    public static Terminal OfProcess() => new(
        Console.OpenStandardInput(),
        Console.OpenStandardOutput(),
        Console.Error,
        !Console.IsOutputRedirected);

    public async Task WriteBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        await Text.FlushAsync(cancel);
        await Output.WriteAsync(bytes, cancel);
    }

    public async Task FlushAsync()
    {
        await Text.FlushAsync();
        await Output.FlushAsync();
        await Error.FlushAsync();
    }
}
