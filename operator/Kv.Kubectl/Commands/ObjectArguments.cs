using System.CommandLine;
using Google.Protobuf;
using System.Text;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary>How a command line names an object or a bucket: <c>[TYPE] BUCKET KEY</c>, and the options that go with it.</summary>
internal sealed class ObjectArguments
{
    private const int MaxBytes = 65_536;
    private readonly Argument<string[]> names;
    private readonly Option<string?> type = new("--type", "-t") { HelpName = "TYPE", Description = "The bucket type, instead of before BUCKET." };
    private readonly Option<bool> base64 = new("--base64-names") { Description = "BUCKET and KEY are given, and listed, in base64: for names that are no text." };

    public ObjectArguments(Command command, string form, string description)
    {
        names = new Argument<string[]>(form) { Description = description, Arity = ArgumentArity.ZeroOrMore };
        command.Add(names);
        command.Add(type);
        command.Add(base64);
    }

    public bool IsBase64(ParseResult parsed) => parsed.GetValue(base64);

    /// <summary>
    /// The bucket type, and the values after it, of which there must be <paramref name="least"/> to <paramref name="most"/>. One value more than
    /// <paramref name="most"/> means that the first is the type.
    /// </summary>
    public (string Type, string[] Names) Read(CommandSession session, ParseResult parsed, int least, int most, string form)
    {
        var values = session.Values(parsed, names);
        var typeByOption = parsed.GetValue(type);
        if (values.Length < least)
        {
            throw CliException.Usage(values.Length == 0 ? $"name what is meant: {form}" : $"too few names: {form}");
        }

        if (values.Length > (typeByOption is null ? most + 1 : most))
        {
            throw CliException.Usage(typeByOption is null ? $"too many names: {form}" : $"too many names; with --type: {form.Replace("[TYPE] ", "", StringComparison.Ordinal)}");
        }

        var hasType = values.Length > most;
        var name = typeByOption ?? (hasType ? values[0] : "default");
        return name.Length > 0 ? (name, hasType ? values[1..] : values) : throw CliException.Usage("the bucket type is empty");
    }

    /// <summary>The same where no type stands for one that is not given: it is the first value, unless <c>--type</c> names it.</summary>
    public (string Type, string[] Names) ReadTyped(CommandSession session, ParseResult parsed, int least, int most, string form)
    {
        var values = session.Values(parsed, names);
        var typeByOption = parsed.GetValue(type);
        var (name, rest) = typeByOption is null && values.Length > 0 ? (values[0], values[1..]) : (typeByOption ?? "", values);
        if (rest.Length < least || rest.Length > most)
        {
            var asked = typeByOption is null ? form : $"with --type: {form.Replace("TYPE ", "", StringComparison.Ordinal)}";
            throw CliException.Usage(values.Length == 0 ? $"name what is meant: {form}" : $"too {(rest.Length < least ? "few" : "many")} names: {asked}");
        }

        return name.Length > 0 ? (name, rest) : throw CliException.Usage("the bucket type is empty");
    }

    public Key Key(ParseResult parsed, string bucketType, string bucket, string key) =>
        new() { BucketType = bucketType, Bucket = Name(parsed, "bucket", bucket), Key_ = Name(parsed, "key", key) };

    public ByteString Name(ParseResult parsed, string what, string text) => Name(what, text, IsBase64(parsed));

    public static ByteString Name(string what, string text, bool isBase64)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (isBase64)
        {
            try
            {
                bytes = Convert.FromBase64String(text);
            }
            catch (FormatException)
            {
                throw CliException.Usage($"the {what} `{text}` is not base64");
            }
        }

        return bytes.Length switch
        {
            0 => throw CliException.Usage($"the {what} is empty"),
            > MaxBytes => throw CliException.Usage($"the {what} has {bytes.Length} bytes, at most {MaxBytes} are allowed"),
            _ => UnsafeByteOperations.UnsafeWrap(bytes),
        };
    }
}
