using System.Text;

namespace Kv.Kubectl;

/// <summary>The three streams of a command. Values go out as bytes, everything else as UTF-8 text.</summary>
internal sealed class Terminal(Stream input, Stream output, TextWriter error, int? width = null)
{
    /// <summary>Columns of the terminal that <see cref="Output"/> is; null where it is a file or a pipe.</summary>
    public int? Width { get; } = width;

    public bool IsInteractive => Width is not null;

    public Stream Input { get; } = input;

    /// <summary>For values, untouched. Flushed with <see cref="Text"/> before each write, so that the two keep their order.</summary>
    public Stream Output { get; } = output;

    public TextWriter Text { get; } = new StreamWriter(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };

    public TextWriter Error { get; } = error;

    public static Terminal OfProcess() => new(
        Console.OpenStandardInput(),
        Console.OpenStandardOutput(),
        Console.Error,
        Console.IsOutputRedirected ? null : WidthOfConsole());

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

    private static int WidthOfConsole()
    {
        const int usual = 80;
        try
        {
            return Console.WindowWidth > 0 ? Console.WindowWidth : usual;
        }
        catch (IOException)
        {
            return usual;
        }
    }
}
