using System.Text;
using System.Text.Unicode;
using Kv.Core.Objects;

namespace Kv.Core.MapReduce;

/// <summary>What names an object between phases: an input, or a list of bucket and key, then key data (null for none), then the bucket's type.</summary>
public static class Addresses
{
    /// <summary>Null for what names none. Whether the names can be had is not looked at.</summary>
    public static Term.Address? Of(Term term) => term switch
    {
        Term.Address address => address,
        Term.List { Items: [Term.Binary bucket, Term.Binary key] } => Named(ObjectKey.DefaultType, bucket, key, null),
        Term.List { Items: [Term.Binary bucket, Term.Binary key, var keyData] } => Named(ObjectKey.DefaultType, bucket, key, keyData),
        Term.List { Items: [Term.Binary bucket, Term.Binary key, var keyData, Term.Binary bucketType] } when Utf8.IsValid(bucketType.Bytes.Span) =>
            Named(Encoding.UTF8.GetString(bucketType.Bytes.Span), bucket, key, keyData),
        _ => null,
    };

    private static Term.Address Named(string bucketType, Term.Binary bucket, Term.Binary key, Term? keyData) =>
        new(new ObjectKey(bucketType, bucket.Bytes, key.Bytes), keyData is Term.Atom { Name: "null" } ? null : keyData);
}
