using System.CommandLine;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary>What goes with a value, and how many replicas must have it, as Riak has it; each is the bucket's where not given.</summary>
internal sealed class WriteOptions
{
    private readonly Option<string?> contentType = new("--content-type")
    {
        HelpName = "TYPE",
        Description = "The value's media type. [default: text/plain; from standard input application/octet-stream]",
    };

    private readonly Option<string?> charset = new("--charset") { HelpName = "NAME", Description = "The value's character set." };
    private readonly Option<string?> encoding = new("--content-encoding") { HelpName = "NAME", Description = "How the value is packed, such as gzip." };
    private readonly Option<Pair[]> metadata = Pairs("--meta", "User metadata; may be given again.");
    private readonly Option<Pair[]> indexes = Pairs("--index", "An index entry, such as email_bin=a@b.c; may be given again.");
    private readonly Option<bool> ifNoneMatch = new("--if-none-match") { Description = "Only if there is nothing." };
    private readonly Option<bool> ifNotModified = new("--if-not-modified") { Description = "Only if the object is still as its --context says." };
    private readonly Option<bool> asIs = new("--asis") { Description = "Store it under the clock of its --context, without an event of its own: a copy from elsewhere." };
    private readonly WriteQuorums quorums;

    public WriteOptions(Command command)
    {
        foreach (var option in new Option[]
            { contentType, charset, encoding, metadata, indexes, ifNoneMatch, ifNotModified, asIs })
        {
            command.Add(option);
        }

        quorums = new WriteQuorums(command);
    }

    public PutRequest Read(ParseResult parsed, Key key)
    {
        if (parsed.GetValue(ifNoneMatch) && parsed.GetValue(ifNotModified))
        {
            throw CliException.Usage("--if-none-match and --if-not-modified exclude each other");
        }

        var request = quorums.ReadPut(parsed, key);
        request.IfNoneMatch = parsed.GetValue(ifNoneMatch);
        request.IfNotModified = parsed.GetValue(ifNotModified);
        request.Asis = parsed.GetValue(asIs);
        return request;
    }

    /// <summary>All of the content but its value.</summary>
    public Content Content(ParseResult parsed, bool isFromInput)
    {
        var content = new Content
        {
            ContentType = parsed.GetValue(contentType) ?? (isFromInput ? "application/octet-stream" : "text/plain"),
            Charset = parsed.GetValue(charset) ?? "",
            ContentEncoding = parsed.GetValue(encoding) ?? "",
        };
        content.UserMetadata.AddRange(parsed.GetValue(metadata) ?? []);
        content.Indexes.AddRange(parsed.GetValue(indexes) ?? []);
        return content;
    }

    private static Option<Pair[]> Pairs(string name, string description) => new(name)
    {
        HelpName = "NAME=VALUE",
        Description = description,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        CustomParser = result =>
        {
            var pairs = new List<Pair>();
            foreach (var token in result.Tokens)
            {
                var at = token.Value.IndexOf('=', StringComparison.Ordinal);
                if (at <= 0)
                {
                    result.AddError($"{name} must be NAME=VALUE, not `{token.Value}`");
                    continue;
                }

                pairs.Add(new Pair { Name = token.Value[..at], Value = token.Value[(at + 1)..] });
            }

            return [.. pairs];
        },
    };
}
